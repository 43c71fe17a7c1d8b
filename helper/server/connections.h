/* SPDX-License-Identifier: BSD-2-Clause */
/* The connections that are open, and whose turn it is. No user takes another one's place. */
#ifndef SKL_CONNECTIONS_H
#define SKL_CONNECTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/server/peer.h"
#include "helper/server/quota.h"

#define CONNECTIONS 1024 /* at the same time; more wait in the socket's queue */

struct connection {
	int fd;		   /* -1: free */
	uint64_t deadline; /* ms: it is closed when nothing was asked by then */
	struct peer peer;
	bool asks; /* its request is there, and counted; before, it is silent */
};

struct connections {
	int epoll; /* that watches them; an event's low half is the place */
	struct connection at[CONNECTIONS];
	size_t n_open;
	struct askers askers;
};

void connections_init(struct connections *c, int epoll);

/*
 * The place for a further connection of that user, who may have `most` silent
 * ones: a free one, or that of his own that is silent for longest, which is
 * ended. Where all are taken, that of the user with the most silent ones; NULL
 * when all have asked.
 */
struct connection *connections_place(struct connections *c, uint32_t uid, uint32_t most);

/*
 * Puts an accepted connection into its place, which takes fd and peer over, to
 * be told by epoll with `tag` in the event's high half. 0 or -errno.
 */
int connections_begin(struct connections *c, struct connection *place, int fd, struct peer *peer,
		      uint32_t tag);

/* Has its request come, and was it not seen before? An event may be about who had the place before. */
bool connection_is_asking(const struct connection *one);

/* Ends one; with it goes what it sent and was not read, which may have descriptors attached. */
void connections_end(struct connections *c, struct connection *one);

/* Of those that ask, one of the user who was served least recently; NULL when none asks. */
struct connection *connections_next(struct connections *c);

/* Ends those that were silent for too long; returns when the next one will have been, ms, or 0. */
uint64_t connections_close_silent(struct connections *c, uint64_t now_ms);

void connections_close(struct connections *c);

#endif
