// SPDX-License-Identifier: BSD-2-Clause
/* Whether packets for the addresses of a claim are received here at all, and what is done where not. */
#include "helper/claim_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "helper/datapath/netns.h"
#include "helper/log.h"
#include "helper/space_routes.h"

#define ROUTES_MAX  256 /* of ours in one network namespace */
#define REMARKS_MAX 3	/* prefixes that are named; of further ones it is only said that there are some */

/* So long others wait at most for an ordinary user's prefixes, in a network namespace with many routes. */
#define TOGETHER_MS 40

struct progress {
	struct claim *c;
	uint64_t start; /* ms */
	bool gave_up;
	int n_routes;
	int n_remarks;
};

static bool has_binding(const struct claim *c, const struct prefix *p)
{
	const struct table *t = &c->space->table;

	for (size_t i = 0; i < t->n_bindings; i++) {
		const struct binding *b = t->bindings[i];

		if (b->listener == c->listener && !b->own && prefix_same(&b->rule.prefix, p))
			return true;
	}
	return false;
}

/* 1: the socket is bound to this very address; -1: to every address; 0: to another. */
static int is_own(const struct listener *l, const struct prefix *p)
{
	struct prefix own[2];
	size_t n = listener_own_prefixes(l, own);
	int all = 0;

	for (size_t i = 0; i < n; i++) {
		if (prefix_covers(&own[i], p) && own[i].length > 0)
			return 1;
		all |= prefix_covers(&own[i], p);
	}
	return all ? -1 : 0;
}

/*
 * A socket that is bound to every address needs no binding for its own port,
 * and has none; the route needs one that it lives and ends with. -EEXIST where
 * another socket has that port there.
 */
static int add_own_port(struct claim *c, const struct prefix *p)
{
	const struct listener *l = c->listener;
	struct rule own = {.prefix = *p, .first = l->port, .last = l->port, .protocol = l->protocol};
	struct conflict conflict;
	int err;

	if (policy_conflict(&c->space->table, &c->who, l, &own, &conflict))
		return -EEXIST;
	err = claim_add_binding(c, &own);
	return err ? err : datapath_refresh(c->space->datapath, &c->space->table, &own);
}

static int add_route(struct progress *p, const struct prefix *prefix)
{
	struct claim *c = p->c;
	size_t said = c->s->length;
	bool there = space_has_route(c->space, prefix);
	int err = 0;

	if (!there && p->n_routes >= ROUTES_MAX)
		return -EMFILE;
	if (!has_binding(c, prefix))
		err = add_own_port(c, prefix);
	if (!err)
		err = space_add_route(c->space, c->received->netns, c->listener, prefix);
	if (err)
		say_rewind(c->s, said); /* it is no reason to refuse anything */
	p->n_routes += !err && !there;
	return err;
}

/* err: why a route was not added, or 0 where the claimant may not have one. */
static void remark(struct progress *p, const struct prefix *prefix, const struct routes_view *view, int err)
{
	const char *is = view->state == ROUTES_NONE
				 ? "is not local here, so no packet arrives"
				 : "is only in part local here, and for the rest no packet arrives";
	char text[PREFIX_TEXT], other[PREFIX_TEXT] = "";
	struct say *s = p->c->s;

	if (p->n_remarks++ > REMARKS_MAX)
		return;
	prefix_format(prefix, text);
	if (view->cut_off.family)
		prefix_format(&view->cut_off, other);
	if (p->n_remarks > REMARKS_MAX)
		say(s, "%s: nor is this, and perhaps more", text);
	else if (!policy_is_routable(prefix))
		say(s, "%s: %s (and no route is made for a prefix of this kind)", text, is);
	else if (*other)
		say(s, "%s: %s (a route for all of it would cut off %s: name smaller prefixes)", text, is,
		    other);
	else if (err)
		say(s, "%s: %s, and a route could not be added: %s (ip route add local %s dev lo)", text, is,
		    strerror(-err), text);
	else
		say(s, "%s: %s (ip route add local %s dev lo)", text, is, text);
}

static void give_up(struct progress *p, const struct prefix *prefix)
{
	char text[PREFIX_TEXT];

	prefix_format(prefix, text);
	say(p->c->s,
	    "%s: whether packets for it arrive was not looked at, nor for those after it: that takes too "
	    "long "
	    "here (ip route add local %s dev lo)",
	    text, text);
	p->gave_up = true;
}

static void see_to(struct progress *p, const struct prefix *prefix)
{
	struct claim *c = p->c;
	bool may = policy_route(&c->who, prefix);
	struct routes_view view;
	int err;

	if (p->gave_up || (p->n_remarks > REMARKS_MAX && (!may || p->n_routes >= ROUTES_MAX)))
		return;
	if (c->peer->uid != 0 && boottime_ms() - p->start > TOGETHER_MS) {
		give_up(p, prefix);
		return;
	}
	err = netns_look_at_route(c->received->netns, prefix, &view);
	if (err) {
		log_warn("namespace %llu: its routes cannot be looked at: %s",
			 (unsigned long long)c->space->netns_ino, strerror(-err));
		return;
	}
	if (view.state == ROUTES_LOCAL || (view.state == ROUTES_LOCAL_OURS && !may))
		return;
	if (may && !view.cut_off.family) {
		if (c->check)
			return;
		err = add_route(p, prefix);
		if (!err || view.state == ROUTES_LOCAL_OURS)
			return;
	}
	remark(p, prefix, &view, err);
}

/* A prefix that was asked for, and whether it is for the listener's own port, too. */
static void consider(struct progress *p, const struct prefix *prefix, bool own_port)
{
	struct claim *c = p->c;
	int own = is_own(c->listener, prefix);

	/* every address means, as with bind(), those that are local */
	if (prefix->length == 0 || own > 0 || !listener_serves(c->listener, prefix->family))
		return;
	if (has_binding(c, prefix) || (own_port && own < 0))
		see_to(p, prefix);
}

void claim_routes(struct claim *c, unsigned int wide)
{
	const struct request *r = c->wanted;
	struct progress p = {.c = c, .start = boottime_ms()};
	struct prefix *used;

	if (!wide || (!r->n_cidrs && !r->n_binds))
		return;
	p.n_routes = space_routes(c->space, &used);
	if (p.n_routes < 0)
		return;
	free(used);
	for (size_t i = 0; i < r->n_cidrs; i++) {
		if (wide & wide_bit(r->cidrs[i].family))
			consider(&p, &r->cidrs[i], true);
	}
	for (size_t i = 0; i < r->n_binds; i++) {
		const struct port_item *ports = &r->binds[i].ports;

		if ((wide & wide_bit(r->binds[i].prefix.family)) && port_item_applies(ports, c->listener))
			consider(&p, &r->binds[i].prefix,
				 ports->first <= c->listener->port && c->listener->port <= ports->last);
	}
}
