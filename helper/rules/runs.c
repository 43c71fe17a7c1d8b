// SPDX-License-Identifier: BSD-2-Clause
/* Which bindings have which ports, in runs of ports that all have the same answer. */
#include "helper/rules/precedence_parts.h"

#include <errno.h>
#include <stdlib.h>

/* Where a run begins. */
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

static int by_first_port(const void *a, const void *b)
{
	const struct binding *x = *(const struct binding *const *)a, *y = *(const struct binding *const *)b;

	return x->rule.first - y->rule.first;
}

int bindings_by_runs(const struct table *t, uint8_t protocol, int family, uint16_t first, uint16_t last,
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
