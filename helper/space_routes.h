/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Local routes for the prefixes of bindings. A route is recorded with the
 * bindings that use it before it is made, and deleted before the last of them is
 * forgotten: so a helper that dies at any moment leaves none that the next one
 * does not know of.
 */
#ifndef SKL_SPACE_ROUTES_H
#define SKL_SPACE_ROUTES_H

#include "helper/space.h"

/* Which prefixes have a route of ours: *out is an array from malloc. Returns how many, or -ENOMEM. */
int space_routes(const struct space *s, struct prefix **out);

/* Does a binding keep a route for this very prefix? */
bool space_has_route(const struct space *s, const struct prefix *p);

/*
 * Makes the prefix local in the namespace `netns` (the caller's) for as long as
 * there is a binding of the listener `l` for it, of which there must be one now.
 * Returns 0, -EEXIST where somebody else has a route for this very prefix among
 * the local ones, or -errno.
 */
int space_add_route(struct space *s, int netns, const struct listener *l, const struct prefix *p);

/* Deletes the routes that only these bindings used, which the table has no more. */
void space_release_routes(struct space *s, struct binding *const *gone, size_t n);

/* Deletes all routes of ours. */
void space_drop_routes(struct space *s);

/* To be called often: deletes routes of ours that cut off a network which came after them. */
void space_watch_routes(struct space *s);

/* After datapath_adopt(): makes routes that are missing and deletes those that no binding uses. */
void space_catch_up_routes(struct space *s, int netns);

#endif
