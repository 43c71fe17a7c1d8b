/* SPDX-License-Identifier: BSD-2-Clause */
/* One listen() or bind() of a supervised program, as it was when the kernel asked, and whether it still
 * waits. */
#ifndef SKL_CLI_CALL_H
#define SKL_CLI_CALL_H

#include <stdbool.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

struct seccomp_notif;

struct call {
	int notify;
	uint64_t id;
	pid_t thread, process;
	int pidfd; /* by which its end is seen; -1: none yet */
	bool is_bind;
	int fd;
	int backlog;
	bool has_address; /* bind() has one that can be read and that an internet socket takes */
	union {
		struct sockaddr any;
		struct sockaddr_in6 in;
		struct sockaddr_storage storage;
	} address;
	uint32_t length;
};

/*
 * The address is read here, before anything is taken from the program: its page
 * may come late or never, and nothing must be held open for that long.
 *
 * 0 or -errno: -EFAULT for arguments that are not there, for others that cannot be read -EPERM, -ESRCH for a
 * process that cannot be seen.
 */
int call_read(struct call *c, int notify, const struct seccomp_notif *request);

/*
 * Does it still wait? Then the thread's number is that of the program, and all
 * that was found by this number before was found at the program. Once it is
 * gone, the number can be anybody's.
 */
bool call_is_there(const struct call *c);

#endif
