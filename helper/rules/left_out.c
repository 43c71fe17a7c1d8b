// SPDX-License-Identifier: BSD-2-Clause
/* Where a range or "*" gives way, and what of its ports it therefore does not get. */
#include "helper/rules/precedence_parts.h"

#include <stdio.h>
#include <string.h>

static bool held(const struct table *t, const struct rule *r, uint16_t port)
{
	size_t n;
	const struct holder *h = table_holders(t, r->protocol, port, &n);

	for (size_t i = 0; i < n; i++) {
		if (prefix_overlaps(&h[i].prefix, &r->prefix))
			return true;
	}
	return false;
}

/* Would `b` take from `other` what another user had first? */
static bool takes_from(const struct binding *b, const struct binding *other)
{
	return other->uid != b->uid && other->id < b->id && rules_overlap(&b->rule, &other->rule) &&
	       bindings_precedence(b, other) < 0;
}

/* Does another listener get all that `b` would have of their common ports? */
static bool loses_to(const struct binding *b, const struct binding *other)
{
	return other->listener != b->listener && other->rule.protocol == b->rule.protocol &&
	       prefix_same(&other->rule.prefix, &b->rule.prefix) && bindings_precedence(other, b) < 0;
}

bool bindings_of_one_user(const struct binding *const *all, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (all[i]->uid != all[0]->uid)
			return false;
	}
	return true;
}

bool binding_gives_way(const struct table *t, const struct binding *b, uint16_t port,
		       const struct binding *const *others, size_t n, bool one_user)
{
	if (!rule_is_wide(&b->rule))
		return false;
	if (held(t, &b->rule, port))
		return true;
	for (size_t i = 0; i < n && !one_user; i++) {
		if (rule_has_port(&others[i]->rule, port) && takes_from(b, others[i]))
			return true;
	}
	return false;
}

/* Is `b` left out of this port, seen against those of `others` that have it? */
static bool left_out_among(const struct table *t, const struct binding *b, uint16_t port,
			   const struct binding *const *others, size_t n)
{
	bool one_user;

	if (!rule_is_wide(&b->rule))
		return false;
	one_user = bindings_of_one_user(others, n);
	if (binding_gives_way(t, b, port, others, n, one_user))
		return true;
	for (size_t i = 0; i < n; i++) {
		/* who gives way takes nothing from anybody */
		if (rule_has_port(&others[i]->rule, port) && loses_to(b, others[i]) &&
		    !binding_gives_way(t, others[i], port, others, n, one_user))
			return true;
	}
	return false;
}

bool binding_left_out(const struct table *t, const struct binding *b, uint16_t port)
{
	return left_out_among(t, b, port, (const struct binding *const *)t->bindings, t->n_bindings);
}

struct left_out {
	const struct table *table;
	const struct binding *binding;
	char *out;
	size_t size, used, count;
	uint32_t first, last; /* of the run that is being collected; first > last: none */
	bool full;
};

static void end_run(struct left_out *l)
{
	char ports[PORTS_TEXT];
	size_t room = l->size - l->used, n;

	if (l->first > l->last)
		return;
	l->count += l->last - l->first + 1;
	if (l->full)
		return;
	ports_format((uint16_t)l->first, (uint16_t)l->last, ports);
	n = strlen(ports) + (l->used ? 1 : 0);
	if (n + sizeof(",...") > room) {
		l->full = true;
		snprintf(l->out + l->used, room, "%s...", l->used ? "," : "");
		return;
	}
	snprintf(l->out + l->used, room, "%s%s", l->used ? "," : "", ports);
	l->used += n;
}

static void add_run(struct left_out *l, uint32_t first, uint32_t last)
{
	if (l->first <= l->last && first == l->last + 1) {
		l->last = last;
		return;
	}
	end_run(l);
	l->first = first;
	l->last = last;
}

static int collect_left_out(void *context, uint16_t first, uint16_t last, const struct binding *const *have,
			    size_t n)
{
	struct left_out *l = context;
	uint16_t own = l->binding->listener->port;

	if (!left_out_among(l->table, l->binding, first, have, n))
		return 0;
	/* that its own port is held, by itself, is no news */
	if (own < first || own > last) {
		add_run(l, first, last);
		return 0;
	}
	if (first < own)
		add_run(l, first, own - 1u);
	if (own < last)
		add_run(l, own + 1u, last);
	return 0;
}

size_t binding_left_out_text(const struct table *t, const struct binding *b, char *out, size_t size)
{
	struct left_out l = {.table = t, .binding = b, .out = out, .size = size, .first = 1, .last = 0};
	const struct rule *r = &b->rule;

	out[0] = '\0';
	if (!rule_is_wide(r))
		return 0;
	if (bindings_by_runs(t, r->protocol, r->prefix.family, r->first, r->last, collect_left_out, &l) < 0)
		return 0;
	end_run(&l);
	return l.count;
}
