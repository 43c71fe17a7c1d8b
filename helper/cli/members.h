/* SPDX-License-Identifier: BSD-2-Clause */
/* The processes of a share, and how they descend from each other. */
#ifndef SKL_CLI_MEMBERS_H
#define SKL_CLI_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct members_one {
	pid_t pid;
	int pidfd;    /* -1 once it has ended */
	bool holds;   /* it has a socket of the share open */
	bool listens; /* and has called listen(), or bind() for UDP, or had the time to */
	char program[16];
};

struct members {
	char sockets[256]; /* "tcp 0.0.0.0:80, tcp 0.0.0.0:443" */
	size_t n_sockets;
	struct members_one *all;
	size_t n;
};

/*
 * Asks the helper for the members of the caller's share of that name in this
 * network namespace, and opens their pidfds. Returns 0, -ENOENT where there is
 * no such share, or another -errno; complains of all but -ENOENT.
 */
int members_read(const char *name, struct members *out);
void members_free(struct members *m);

struct members_one *members_find(const struct members *m, pid_t pid);

/* Does the process descend from that one? */
bool members_descends(pid_t pid, pid_t ancestor);

/* Is it one whose ancestors are no members: the one that an init would send a signal? */
bool members_is_root(const struct members *m, const struct members_one *one);

/* Notes which have ended; returns how many have not. */
size_t members_left(struct members *m);

#endif
