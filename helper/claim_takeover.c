// SPDX-License-Identifier: BSD-2-Clause
/*
 * A port that was taken over from another user. His ordinary socket loses it by
 * itself, the lookup of BPF comes first; so does his range, and his longer prefix
 * keeps it. But his binding for the same port and prefix is older, and would win.
 */
#include "helper/claim_parts.h"

#include "helper/log.h"

static bool has_bindings(const struct table *t, const struct listener *l)
{
	for (size_t i = 0; i < t->n_bindings; i++) {
		if (t->bindings[i]->listener == l && !t->bindings[i]->own)
			return true;
	}
	return false;
}

static void end(struct claim *c, struct binding *b, const struct grant *by)
{
	struct listener *l = b->listener;
	char what[RULE_TEXT], prefix[PREFIX_TEXT];

	rule_format(&b->rule, what);
	prefix_format(&b->rule.prefix, prefix);
	log_notice("listener %llu (%s, uid %u): loses %s on %s: uid %u took it over, by [%s]",
		   (unsigned long long)l->id, l->members[0].program, l->members[0].uid, what, prefix,
		   c->peer->uid, by->name);
	space_forget_binding(c->space, b);
	if (!has_bindings(&c->space->table, l))
		space_forget_listener(c->space, l);
}

/* What stands in the way of this binding, or NULL. An own binding gives way by itself
 * (bindings_precedence()).
 */
static struct binding *find_tie(const struct table *t, const struct binding *ours)
{
	struct overlaps overlaps = table_overlaps(t, &ours->rule);
	const struct binding *b;

	while ((b = overlaps_next(&overlaps))) {
		if (b->uid != ours->uid && !b->own && !rule_is_wide(&b->rule) &&
		    prefix_same(&b->rule.prefix, &ours->rule.prefix))
			break;
	}
	return (struct binding *)b; /* of our own table */
}

void claim_take_over(struct claim *c)
{
	const struct table *t = &c->space->table;

	for (size_t i = 0; i < t->n_bindings; i++) {
		const struct binding *ours = t->bindings[i];
		const struct grant *by;
		struct binding *tie;

		if (ours->listener != c->listener || ours->own || rule_is_wide(&ours->rule))
			continue;
		by = policy_takeover(&c->who, &ours->rule);
		tie = by ? find_tie(t, ours) : NULL;
		if (!tie)
			continue;
		end(c, tie, by);
		i = (size_t)-1; /* the table is another now */
	}
}
