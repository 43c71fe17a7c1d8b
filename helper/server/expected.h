/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom a helper that leaves when idle (--exit-idle) waits for: programs that are about to claim. */
#ifndef SKL_EXPECTED_H
#define SKL_EXPECTED_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "helper/say.h"
#include "helper/server/peer.h"

#define EXPECTED_MAX 256

/* A process that is about to become a program that claims. */
struct expected_one {
	int pidfd; /* -1: free */
	pid_t pid;
	uid_t uid;
};

struct expected {
	int epoll; /* that tells of their ends: FROM_EXPECTED, and the place */
	struct expected_one at[EXPECTED_MAX];
};

void expected_init(struct expected *e, int epoll);

/*
 * Expects the peer's program as long as its process lives, and takes
 * peer->pidfd over, unless it is expected already. 0, or -errno with the
 * sentence: of each user, and in all, there may be only so many.
 */
int expected_add(struct expected *e, struct peer *peer, struct say *said);

/* The process of that place has ended. */
void expected_end(struct expected *e, size_t place);

bool expected_none(const struct expected *e);

void expected_close(struct expected *e);

#endif
