/* SPDX-License-Identifier: BSD-2-Clause */
/* The listening sockets of a program that runs already, taken under the caller's own rights. */
#ifndef SKL_CLI_SOCKETS_H
#define SKL_CLI_SOCKETS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper/cli/address.h"

struct sockets_one {
	int fd;		     /* our copy */
	unsigned int device; /* what it is bound to (SO_BINDTODEVICE), or 0 */
	uint64_t inode;
	struct address address;
};

struct sockets {
	size_t n;
	struct sockets_one *all;
};

/*
 * Takes the TCP sockets (MPTCP ones, too) on which the process listens, each
 * once however many descriptors it has. sockets_free() is due in any case.
 *
 * Returns 0, or
 *   -ESRCH  there is no such process, or it has ended meanwhile
 *   -EPERM, -EACCES  the caller may not trace it
 *   -ENOSYS  the kernel is older than 5.6
 *   or the errno of a limit.
 */
int sockets_take(pid_t pid, struct sockets *sockets);

void sockets_free(struct sockets *sockets);

/* Two sockets of one listener (SO_REUSEPORT). */
bool sockets_same_listener(const struct sockets_one *a, const struct sockets_one *b);

/*
 * Leaves those that are meant: the ones bound as `pattern` has it, which was typed as `listen`, or without
 * `listen` (NULL) those of the only listener. Returns 0, or -errno having complained.
 */
int sockets_choose(struct sockets *s, pid_t pid, const char *listen, const struct address_pattern *pattern);

#endif
