// SPDX-License-Identifier: BSD-2-Clause
/* What each port gets: the one place where precedence is decided, for the packet path and for people who ask.
 */
#include "helper/rules/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool rules_overlap(const struct rule *a, const struct rule *b)
{
	return a->protocol == b->protocol && a->first <= b->last && b->first <= a->last &&
	       prefix_overlaps(&a->prefix, &b->prefix);
}

int rules_precedence(const struct rule *a, const struct rule *b)
{
	if (a->prefix.length != b->prefix.length)
		return b->prefix.length - a->prefix.length;
	return (a->last - a->first) - (b->last - b->first);
}

static int bindings_precedence(const struct binding *a, const struct binding *b)
{
	int order = rules_precedence(&a->rule, &b->rule);

	if (order)
		return order;
	/* what a UDP listener has by its own bind() is no claim: only who may take over gets the same */
	if (a->own != b->own)
		return a->own - b->own;
	return a->id < b->id ? -1 : a->id > b->id; /* the older one keeps what it has */
}

const struct holder *table_holders(const struct table *t, uint8_t protocol, uint16_t port, size_t *n)
{
	size_t low = 0, high = t->n_holders;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct holder *h = &t->holders[middle];

		if (h->protocol < protocol || (h->protocol == protocol && h->port < port))
			low = middle + 1;
		else
			high = middle;
	}
	for (*n = 0; low + *n < t->n_holders; ++*n) {
		if (t->holders[low + *n].protocol != protocol || t->holders[low + *n].port != port)
			break;
	}
	return t->n_holders ? t->holders + low : NULL;
}

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

/* Then nobody takes from another user, and there is nothing to compare. */
static bool all_of_one_user(const struct binding *const *all, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (all[i]->uid != all[0]->uid)
			return false;
	}
	return true;
}

/* Does `b` make no use of this port, whoever comes after it? Seen against those of `others` that have it. */
static bool gives_way_among(const struct table *t, const struct binding *b, uint16_t port,
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
	one_user = all_of_one_user(others, n);
	if (gives_way_among(t, b, port, others, n, one_user))
		return true;
	for (size_t i = 0; i < n; i++) {
		/* who gives way takes nothing from anybody */
		if (rule_has_port(&others[i]->rule, port) && loses_to(b, others[i]) &&
		    !gives_way_among(t, others[i], port, others, n, one_user))
			return true;
	}
	return false;
}

bool binding_left_out(const struct table *t, const struct binding *b, uint16_t port)
{
	return left_out_among(t, b, port, (const struct binding *const *)t->bindings, t->n_bindings);
}

/* Ports at which the answer may change: where a run begins. */
struct cuts {
	uint32_t *at;
	size_t n;
};

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void cut(struct cuts *c, uint32_t port, uint16_t first, uint16_t last)
{
	if (port >= first && port <= last)
		c->at[c->n++] = port;
}

static int make_cuts(struct cuts *c, const struct table *t, const struct binding *const *all, size_t n,
		     uint16_t first, uint16_t last)
{
	bool wide = false;
	size_t unique = 1;

	c->at = malloc((1 + 2 * n + 2 * t->n_holders) * sizeof(*c->at));
	if (!c->at)
		return -ENOMEM;
	c->at[0] = first;
	c->n = 1;
	for (size_t i = 0; i < n; i++) {
		cut(c, all[i]->rule.first, first, last);
		cut(c, all[i]->rule.last + 1u, first, last);
		wide |= rule_is_wide(&all[i]->rule);
	}
	for (size_t i = 0; wide && i < t->n_holders; i++) {
		if (t->holders[i].protocol != all[0]->rule.protocol)
			continue;
		cut(c, t->holders[i].port, first, last);
		cut(c, t->holders[i].port + 1u, first, last);
	}
	qsort(c->at, c->n, sizeof(*c->at), by_value);
	for (size_t i = 1; i < c->n; i++) {
		if (c->at[i] != c->at[unique - 1])
			c->at[unique++] = c->at[i];
	}
	c->n = unique;
	return 0;
}

static int by_precedence(const void *a, const void *b)
{
	const struct binding *x = *(const struct binding *const *)a, *y = *(const struct binding *const *)b;

	/* equal prefixes stand together, so that the first of them can be kept */
	if (x->rule.prefix.length == y->rule.prefix.length) {
		int order = memcmp(x->rule.prefix.address, y->rule.prefix.address, 16);

		if (order)
			return order;
	}
	return bindings_precedence(x, y);
}

static int by_first_port(const void *a, const void *b)
{
	const struct binding *x = *(const struct binding *const *)a, *y = *(const struct binding *const *)b;

	return x->rule.first - y->rule.first;
}

/* Calls `visit` for consecutive runs of ports, with the bindings that have them, in no order. */
typedef int visit_run(void *context, uint16_t first, uint16_t last, const struct binding *const *have,
		      size_t n);

static int walk(const struct table *t, uint8_t protocol, int family, uint16_t first, uint16_t last,
		visit_run *visit, void *context)
{
	size_t n = 0, n_active = 0, next = 0;
	const struct binding **all, **active;
	struct cuts cuts = {0};
	int err;

	all = malloc(2 * (t->n_bindings + 1) * sizeof(struct binding *));
	if (!all)
		return -ENOMEM;
	active = all + t->n_bindings + 1;
	for (size_t i = 0; i < t->n_bindings; i++) {
		const struct rule *r = &t->bindings[i]->rule;

		if (r->protocol == protocol && r->prefix.family == family && r->first <= last &&
		    r->last >= first)
			all[n++] = t->bindings[i];
	}
	qsort(all, n, sizeof(struct binding *), by_first_port);
	err = make_cuts(&cuts, t, all, n, first, last);

	for (size_t i = 0; !err && i < cuts.n; i++) {
		uint16_t from = (uint16_t)cuts.at[i];
		uint16_t to = i + 1 < cuts.n ? (uint16_t)(cuts.at[i + 1] - 1) : last;
		size_t kept = 0;

		for (size_t k = 0; k < n_active; k++) {
			if (active[k]->rule.last >= from)
				active[kept++] = active[k];
		}
		n_active = kept;
		while (next < n && all[next]->rule.first <= from)
			active[n_active++] = all[next++];
		err = visit(context, from, to, active, n_active);
	}
	free(cuts.at);
	free(all);
	return err;
}

struct rows {
	const struct table *table;
	const struct binding **order;
	table_row *row;
	void *context;
};

/* From those that have these ports: those that get something, in order. */
static int decide(void *context, uint16_t first, uint16_t last, const struct binding *const *have, size_t n)
{
	const struct rows *r = context;
	const struct binding **order = r->order;
	bool one_user = all_of_one_user(have, n);
	size_t kept = 0, unique = 0;

	for (size_t i = 0; i < n; i++) {
		if (!gives_way_among(r->table, have[i], first, have, n, one_user))
			order[kept++] = have[i];
	}
	qsort(order, kept, sizeof(struct binding *), by_precedence);
	for (size_t i = 0; i < kept; i++) {
		if (unique == 0 || !prefix_same(&order[i]->rule.prefix, &order[unique - 1]->rule.prefix))
			order[unique++] = order[i];
	}
	return r->row(r->context, first, last, order, unique);
}

int table_rows(const struct table *t, uint8_t protocol, int family, uint16_t first, uint16_t last,
	       table_row *row, void *context)
{
	struct rows r = {.table = t, .row = row, .context = context};
	int err;

	r.order = malloc((t->n_bindings + 1) * sizeof(struct binding *));
	if (!r.order)
		return -ENOMEM;
	err = walk(t, protocol, family, first, last, decide, &r);
	free(r.order);
	return err;
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
	if (walk(t, r->protocol, r->prefix.family, r->first, r->last, collect_left_out, &l) < 0)
		return 0;
	end_run(&l);
	return l.count;
}
