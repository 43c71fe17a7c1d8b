// SPDX-License-Identifier: BSD-2-Clause
/* What of a claim is granted, and how it comes into force. */
#include "helper/claim_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#define ONE_BY_ONE 16 /* up to so many new bindings are written each by itself */

/* 0: may be added; 1: skipped; -errno: refused. */
static int judge(struct claim *c, const struct rule *r)
{
	struct conflict conflict;
	char what[RULE_TEXT];

	if (table_has(&c->space->table, c->listener, r))
		return 1;
	while (policy_conflict(&c->space->table, &c->who, c->listener, r, &conflict)) {
		struct listener *other = conflict.binding ? conflict.binding->listener : NULL;

		if (other && !claim_still_there(c, other))
			continue;
		if (!other || !claim_has_instance(c, other))
			return policy_refuse(&conflict, r, c->s);
		rule_format(r, what);
		say(c->s, "%s: left alone: this program's listener on port %u has it", what, other->port);
		return 1;
	}
	return 0;
}

static int say_no_room(struct claim *c, const struct rule *r, int err)
{
	char what[RULE_TEXT];

	rule_format(r, what);
	return say_error(c->s, -err, what, "no room for another binding in this network namespace");
}

int claim_add_binding(struct claim *c, const struct rule *r)
{
	struct binding *b;
	int err;

	err = usage_binding(&c->usage, &c->who, r, c->s);
	if (err)
		return err;
	b = calloc(1, sizeof(*b));
	if (!b)
		return say_no_room(c, r, -ENOMEM);
	*b = (struct binding){
		.id = datapath_next_id(c->space->datapath),
		.since = boottime_ns(),
		.listener = c->listener,
		.rule = *r,
		.uid = c->peer->uid,
	};
	err = datapath_add_binding(c->space->datapath, b);
	if (!err) {
		err = table_add_binding(&c->space->table, b);
		if (err)
			datapath_remove_bindings(c->space->datapath, &b, 1);
	}
	if (!err) {
		c->usage.bindings++;
		c->usage.ranges += rule_is_wide(r);
		return 0;
	}
	free(b);
	return say_no_room(c, r, err);
}

/* Names what a wide binding does not get; nothing at all left is a conflict like any other. */
static int say_left_out(struct claim *c, const struct binding *b)
{
	char less[200], what[RULE_TEXT], prefix[PREFIX_TEXT];
	size_t n = binding_left_out_text(&c->space->table, b, less, sizeof(less));
	size_t own = rule_has_port(&b->rule, b->listener->port);

	if (n == 0)
		return 0;
	rule_format(&b->rule, what);
	prefix_format(&b->rule.prefix, prefix);
	if (n + own >= (size_t)b->rule.last - b->rule.first + 1)
		return say_error(c->s, EADDRINUSE, what, "every one of them on %s is in use by others",
				 prefix);
	say(c->s, "%s: less %s on %s, which others have", what, less, prefix);
	return 0;
}

bool claim_is_ours(const struct claim *c, const struct binding *b)
{
	return b->id > c->mark;
}

/* Many at once: everything from the first to the last of their ports, for each family. */
static int refresh_span(struct claim *c)
{
	const struct table *t = &c->space->table;
	static const int families[] = {AF_INET, AF_INET6};
	int err = 0;

	for (size_t f = 0; f < 2 && !err; f++) {
		struct rule span = {.prefix = prefix_any(families[f]), .first = 65535};

		for (size_t i = 0; i < t->n_bindings; i++) {
			const struct rule *r = &t->bindings[i]->rule;

			if (!claim_is_ours(c, t->bindings[i]) || r->prefix.family != families[f])
				continue;
			span.protocol = r->protocol;
			span.first = r->first < span.first ? r->first : span.first;
			span.last = r->last > span.last ? r->last : span.last;
		}
		if (span.first <= span.last)
			err = datapath_refresh(c->space->datapath, t, &span);
	}
	return err;
}

static int refresh_each(struct claim *c)
{
	const struct table *t = &c->space->table;
	int err = 0;

	for (size_t i = 0; i < t->n_bindings && !err; i++) {
		if (claim_is_ours(c, t->bindings[i]))
			err = datapath_refresh(c->space->datapath, t, &t->bindings[i]->rule);
	}
	return err;
}

int claim_write(struct claim *c)
{
	const struct table *t = &c->space->table;
	char what[RULE_TEXT];
	size_t ours = 0;
	int err;

	for (size_t i = 0; i < t->n_bindings; i++) {
		if (!claim_is_ours(c, t->bindings[i]))
			continue;
		ours++;
		err = say_left_out(c, t->bindings[i]);
		if (err)
			return err;
	}
	if (c->check)
		return 0;
	err = ours > ONE_BY_ONE ? refresh_span(c) : refresh_each(c);
	if (!err)
		return 0;
	claim_what(c->listener, what);
	return say_error(c->s, -err, what, "no room for its bindings in this network namespace");
}

void claim_take_back(struct claim *c)
{
	space_forget_bindings(c->space, NULL, c->mark);
	/* A new member of an older listener stays: the kernel balances to it with or without us. */
	if (c->new_listener)
		space_forget_listener(c->space, c->listener);
}

/* What the dead have of this port at more precise addresses would keep the packets until the next sweep. */
static void forget_dead(struct claim *c, const struct rule *r)
{
	struct overlaps overlaps = table_overlaps(&c->space->table, r);
	const struct listener *alive = NULL;
	struct binding *b;

	while ((b = overlaps_next(&overlaps))) {
		if (b->listener == c->listener || b->listener == alive)
			continue;
		if (claim_still_there(c, b->listener))
			alive = b->listener; /* it may have many of them, one after the other */
		else
			overlaps = table_overlaps(&c->space->table, r);
	}
}

/* 0: added; 1: skipped; -errno: refused. */
static int grant(struct claim *c, const struct rule *r)
{
	int err = judge(c, r);

	return err ? err : claim_add_binding(c, r);
}

/* Says what "*" does not mean. */
static void say_less(struct claim *c, const struct rule *r, const struct pieces *pieces)
{
	char what[RULE_TEXT];

	rule_format(r, what);
	if (pieces->less_local)
		say(c->s, "%s: less %u-%u, which programs here send from (name a range to have them)", what,
		    c->who.first_local_port, c->who.last_local_port);
	if (pieces->less_single)
		say(c->s, "%s: less granted ports that stand alone (name them to have them)", what);
}

static int grant_pieces(struct claim *c, const struct rule *r)
{
	struct pieces pieces;
	int err = 0, added = 0;

	if (table_has(&c->space->table, c->listener, r)) /* whatever the policy says by now */
		return 1;
	err = policy_ports(&c->who, r, &pieces, c->s);
	for (size_t i = 0; err >= 0 && i < pieces.n; i++) {
		err = grant(c, &pieces.at[i]);
		added += err == 0;
	}
	if (err >= 0 && added)
		say_less(c, r, &pieces);
	return err;
}

int claim_grant(struct claim *c, struct rule *rules, int n)
{
	struct rule own = {
		.first = c->listener->port, .last = c->listener->port, .protocol = c->listener->protocol};
	int err = table_add_own(&c->space->table, c->listener);

	if (err)
		return say_no_room(c, &own, err);
	for (int i = 0; i < n && !request_has_range(c->wanted); i++)
		forget_dead(c, &rules[i]);
	for (int i = 0; i < n && err >= 0; i++) {
		err = grant_pieces(c, &rules[i]);
	}
	return err < 0 ? err : 0;
}
