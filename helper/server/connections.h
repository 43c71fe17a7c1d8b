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
#define ASKING_EACH 256	 /* requests of one user that wait to be served */

struct connection {
	int fd;		   /* -1: free */
	uint64_t number;   /* the lower, the older */
	uint64_t deadline; /* ms: it is closed when nothing was asked by then */
	uint32_t uid;
	bool asks; /* its request is there, and counted; before, it is silent */
};

struct connections {
	int epoll; /* that watches them; an event's low half is the place */
	struct connection at[CONNECTIONS];
	struct peer peers[CONNECTIONS]; /* apart, because all of the others is looked through often */
	size_t n_open;
	uint64_t begun;
	struct askers askers;
};

void connections_init(struct connections *c, int epoll);

/*
 * The place for a further connection of that user, who may have `most` silent
 * ones for longer than a moment: a free one; else, or when he has them, that of
 * his own that is silent for longest; else one of the user who has most. What is there (fd >= 0) is to be
 * ended by the caller.
 */
struct connection *connections_place(struct connections *c, uint32_t uid, uint32_t most);

/*
 * Puts an accepted connection into its place, which takes fd and peer over, to
 * be told by epoll with `tag` in the event's high half. 0 or -errno.
 */
int connections_begin(struct connections *c, struct connection *place, int fd, struct peer *peer,
		      uint32_t tag);

/* What has become of one that an event is about, which may have been about who had its place before. */
enum connection_state {
	CONNECTION_WAITS, /* it has not asked, or that is known */
	CONNECTION_ASKS,
	CONNECTION_GONE, /* nobody waits for an answer */
};
enum connection_state connection_look(const struct connection *one);

/* Who it is from. */
struct peer *connection_peer(struct connections *c, const struct connection *one);

void connections_end(struct connections *c, struct connection *one);

/* Of those that ask, one of the user who was served least recently; NULL when none asks. */
struct connection *connections_next(struct connections *c);

/* How many requests of that user wait. */
size_t connections_asking(const struct connections *c, uint32_t uid);

/* Ends those that were silent for too long; returns when the next one will have been, ms, or 0. */
uint64_t connections_close_silent(struct connections *c, uint64_t now_ms);

void connections_close(struct connections *c);

#endif
