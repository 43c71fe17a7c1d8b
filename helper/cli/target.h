/* SPDX-License-Identifier: BSD-2-Clause */
/* A process that the supervisor is asked about: what can be taken from it, and how it stands to us. */
#ifndef SKL_CLI_TARGET_H
#define SKL_CLI_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The process of a thread, or -ESRCH. */
pid_t target_process(pid_t thread);

/*
 * A pidfd of the thread, whose files may be others than those of its process:
 * the caller's to close. Before Linux 6.9 it is the process's, where the files
 * are the same. Or -errno, -EOPNOTSUPP where they are not.
 */
int target_open(pid_t thread, pid_t process);

/* A copy of the descriptor `fd` of the thread: the caller's to close. Or -errno, -EBADF as the thread itself
 * would see it. */
int target_take(int pidfd, int fd);

/* Why something failed with -errno. */
const char *target_why(int err);

/* Complains that skl attach cannot take a socket of this process, and says who could. */
void target_complain(pid_t process, int err);

/* Waits for so long, or until it is gone. Is it? */
bool target_ends(int pidfd, int ms);

/* Copies from the thread's memory. 0 or -errno. */
int target_read(pid_t thread, uint64_t address, void *to, size_t size);

/* Has the thread the user, the groups and the capabilities that we have? What we do for it is then what it
 * could have done. */
bool target_equals_us(pid_t thread);

#endif
