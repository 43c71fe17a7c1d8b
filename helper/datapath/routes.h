/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `local` routes for whole prefixes (AnyIP), in the network namespace that this
 * process is in: what they cover is received here, as if each address were
 * given to an interface.
 */
#ifndef SKL_ROUTES_H
#define SKL_ROUTES_H

#include <stddef.h>
#include <stdint.h>

#include "helper/rules/prefix.h"

/* Who made a route, as the kernel records it ("proto 83"): only such are ever deleted. */
#define ROUTES_PROTOCOL 83

enum routes_state {
	ROUTES_NONE = 0,  /* no address of it is local */
	ROUTES_PARTLY,	  /* some are */
	ROUTES_LOCAL,	  /* all are, whatever we do */
	ROUTES_LOCAL_OURS /* all are, as long as routes of ours stay */
};

struct routes_view {
	uint32_t state; /* enum routes_state */
	/*
	 * Where it is not local without us: something that this machine reaches by a
	 * route and could not reach any more if it were (the network of an interface
	 * inside the prefix, a gateway), or a prefix of family 0.
	 */
	struct prefix cut_off;
};

/*
 * What becomes of packets to the prefix? One that is put together of more than
 * a few smaller routes may be told as partly local. 0 or -errno.
 */
int routes_look(const struct prefix *p, struct routes_view *out);

/*
 * Routes of ours that cut off something now: networks come after them, too. As
 * routes_list(); those that did not fit are found when these have been deleted.
 */
int routes_crowded(struct prefix *out, size_t room);

/* 0; -EEXIST where there is a route for this very prefix; or -errno. */
int routes_add(const struct prefix *p);

/* Deletes it if it is ours. 0, -ESRCH where there is none, or -errno. */
int routes_delete(const struct prefix *p);

/* Lists ours, without the first `skip`. Returns how many of them, at most `room`, are in `out`, or -errno. */
int routes_list(struct prefix *out, size_t room, size_t skip);

#endif
