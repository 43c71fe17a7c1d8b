/* SPDX-License-Identifier: BSD-2-Clause */
/* What can only be done inside another network namespace: asked of the broker (broker/). */
#ifndef SKL_NETNS_H
#define SKL_NETNS_H

#include <stddef.h>
#include <stdint.h>

#include "helper/datapath/routes.h"

struct netns_view {
	int diag;		  /* a NETLINK_SOCK_DIAG socket of the namespace: the caller's to close */
	uint32_t first_free_port; /* its ip_unprivileged_port_start: ports from here on need no capability */
	uint16_t first_local_port, last_local_port; /* its ip_local_port_range: where programs send from */
};

/* Looks into the namespace `netns` (a descriptor, the caller's). 0 or -errno. */
int netns_look(int netns, struct netns_view *out);

/*
 * Sees to it that the reply program sees what leaves the namespace, by interfaces
 * that appeared since the last call too; program -1: takes it away. 0 or -errno.
 */
int netns_attach_reply(int netns, int program);

/* As the functions of datapath/routes.h, in the namespace `netns`. */
int netns_look_at_route(int netns, const struct prefix *p, struct routes_view *out);
int netns_add_route(int netns, const struct prefix *p);
int netns_delete_route(int netns, const struct prefix *p);

/* Some of those routes of ours there that cut off something now. Returns how many, or -errno. */
#define NETNS_CROWDED 16
int netns_crowded_routes(int netns, struct prefix out[NETNS_CROWDED]);

/* All routes of ours there: *out is an array from malloc. Returns how many they are, or -errno. */
int netns_routes(int netns, struct prefix **out);

/* Takes away from there whatever a helper of any version has put on interfaces and into routes. 0 or -errno.
 */
int netns_clear(int netns);

/*
 * A descriptor of the network namespace with this inode number, found through
 * the processes that are in it, or -ENOENT.
 */
int netns_find(uint64_t ino);

#endif
