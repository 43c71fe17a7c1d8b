// SPDX-License-Identifier: BSD-2-Clause
/* What each port gets: the one place where precedence is decided, for the packet path and for people who ask.
 */
#include "helper/rules/precedence_parts.h"

#include <errno.h>
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

int bindings_precedence(const struct binding *a, const struct binding *b)
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
	bool one_user = bindings_of_one_user(have, n);
	size_t kept = 0, unique = 0;

	for (size_t i = 0; i < n; i++) {
		if (!binding_gives_way(r->table, have[i], first, have, n, one_user))
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
	err = bindings_by_runs(t, protocol, family, first, last, decide, &r);
	free(r.order);
	return err;
}
