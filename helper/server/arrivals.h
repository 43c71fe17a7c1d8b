/* SPDX-License-Identifier: BSD-2-Clause */
/* What arrives: connections are accepted, and a request on one waits for its turn or is turned away. */
#ifndef SKL_ARRIVALS_H
#define SKL_ARRIVALS_H

#include <stdbool.h>

#include "helper/policy_file.h"
#include "helper/server/connections.h"

struct arrivals {
	int epoll;    /* that tells of them: FROM_LISTENER; FROM_CONNECTION and the place */
	int listener; /* not blocking; this, the policy and the connections are the caller's */
	const struct policy_file *policy;
	struct connections *connections;
	bool more_wait; /* than were accepted in the last round */
	bool paused;	/* no connection is accepted until arrivals_watch() */
};

/* Has epoll tell of connections that wait to be accepted. 0 or -errno. */
int arrivals_watch(struct arrivals *a);

/* Accepts a round of connections. Pauses where no descriptor is left for another. */
void arrivals_accept(struct arrivals *a);

/* For an event of this connection: if it asks, connections_next() knows it now, or it is turned away. */
void arrivals_event(struct arrivals *a, struct connection *c);

#endif
