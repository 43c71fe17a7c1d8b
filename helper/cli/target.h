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

/* A pidfd: the caller's to close. Or -errno. */
int target_open(pid_t process);

/* A copy of the descriptor `fd` of that process: the caller's to close. Or -errno, -EBADF as the process
 * itself would see it. */
int target_take(int pidfd, int fd);

/* Waits for so long, or until the process is gone. Is it? */
bool target_ends(int pidfd, int ms);

/* Copies from the thread's memory. 0 or -EFAULT. */
int target_read(pid_t thread, uint64_t address, void *to, size_t size);

/* Has the thread the user, the groups and the capabilities that we have? What we do for it is then what it
 * could have done. */
bool target_equals_us(pid_t thread);

#endif
