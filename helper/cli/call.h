/* SPDX-License-Identifier: BSD-2-Clause */
/* One listen() or bind() of a supervised program, as it was when the kernel asked, and whether it still
 * waits. */
#ifndef SKL_CLI_CALL_H
#define SKL_CLI_CALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct seccomp_notif;

struct call {
	int notify;
	uint64_t id;
	pid_t thread, process;
	bool is_bind;
	int fd;
	int backlog;
	uint64_t address;
	uint32_t length;
};

/* 0 or -errno: -ESRCH for a process that cannot be seen, -EFAULT for arguments that cannot be read. */
int call_read(struct call *c, int notify, const struct seccomp_notif *request);

/*
 * Does it still wait? Then the thread's number is that of the program, and all
 * that was found by this number before was found at the program. Once it is
 * gone, the number can be anybody's.
 */
bool call_is_there(const struct call *c);

#endif
