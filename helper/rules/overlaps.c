// SPDX-License-Identifier: BSD-2-Clause
/* Which bindings a rule meets, without a look at each: there may be thousands, and as many rules to judge. */
#include "helper/rules/table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Those for one port stand by protocol, port and family, and there by address: what a prefix covers follows
 * it. */
static int compare(const struct rule *a, const struct rule *b)
{
	if (a->protocol != b->protocol)
		return a->protocol - b->protocol;
	if (a->first != b->first)
		return a->first - b->first;
	if (a->prefix.family != b->prefix.family)
		return a->prefix.family - b->prefix.family;
	if (memcmp(a->prefix.address, b->prefix.address, sizeof(a->prefix.address)) != 0)
		return memcmp(a->prefix.address, b->prefix.address, sizeof(a->prefix.address));
	return a->prefix.length - b->prefix.length;
}

/* Where the first one is that does not stand before this rule. */
static size_t find(const struct binding_list *exact, const struct rule *r)
{
	size_t low = 0, high = exact->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare(&exact->at[middle]->rule, r) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int insert(struct binding_list *list, size_t at, struct binding *b)
{
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 8;
		struct binding **larger = reallocarray(list->at, room, sizeof(struct binding *));

		if (!larger)
			return -ENOMEM;
		list->at = larger;
		list->room = room;
	}
	memmove(list->at + at + 1, list->at + at, (list->n - at) * sizeof(struct binding *));
	list->at[at] = b;
	list->n++;
	return 0;
}

int table_index(struct table *t, struct binding *b)
{
	int err;

	if (rule_is_wide(&b->rule))
		return insert(&t->wide, t->wide.n, b);
	err = insert(&t->exact, find(&t->exact, &b->rule), b);
	if (!err)
		t->lengths[b->rule.prefix.length]++;
	return err;
}

static void leave_out(struct binding_list *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (!list->at[i]->leaves)
			list->at[kept++] = list->at[i];
	}
	list->n = kept;
}

void table_unindex(struct table *t, struct binding *const *gone, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		gone[i]->leaves = true;
		if (!rule_is_wide(&gone[i]->rule))
			t->lengths[gone[i]->rule.prefix.length]--;
	}
	leave_out(&t->exact);
	leave_out(&t->wide);
}

bool table_has(const struct table *t, const struct listener *l, const struct rule *r)
{
	const struct binding_list *list = rule_is_wide(r) ? &t->wide : &t->exact;

	for (size_t i = rule_is_wide(r) ? 0 : find(list, r); i < list->n; i++) {
		const struct binding *b = list->at[i];
		bool same = compare(&b->rule, r) == 0 && b->rule.last == r->last;

		if (same && b->listener == l)
			return true;
		if (!same && list == &t->exact)
			break;
	}
	return false;
}

struct overlaps table_overlaps(const struct table *t, const struct rule *r)
{
	return (struct overlaps){.table = t, .rule = *r, .outer = *r, .at = SIZE_MAX};
}

static void cut_to(struct prefix *p, unsigned int length)
{
	p->length = (uint8_t)length;
	for (unsigned int i = length / 8; i < sizeof(p->address); i++)
		p->address[i] &= (uint8_t)(i == length / 8 ? 0xff00 >> length % 8 : 0);
}

/* To the first one with a shorter prefix of which there is any, and then to those that the rule covers. */
static void next_length(struct overlaps *o)
{
	unsigned int length = o->length;

	while (length < o->rule.prefix.length && !o->table->lengths[length])
		length++;
	o->outer.prefix = o->rule.prefix;
	if (length < o->rule.prefix.length)
		cut_to(&o->outer.prefix, length);
	o->length = length + 1;
	o->at = find(&o->table->exact, &o->outer);
}

static bool still_meets(const struct overlaps *o, const struct rule *r)
{
	if (o->outer.prefix.length < o->rule.prefix.length)
		return compare(r, &o->outer) == 0;
	return r->protocol == o->rule.protocol && r->first == o->rule.first &&
	       prefix_covers(&o->rule.prefix, &r->prefix);
}

struct binding *overlaps_next(struct overlaps *o)
{
	const struct table *t = o->table;

	while (o->wide < t->wide.n) {
		struct binding *b = t->wide.at[o->wide++];

		if (rules_overlap(&b->rule, &o->rule))
			return b;
	}
	while (o->at == SIZE_MAX || o->at >= t->exact.n || !still_meets(o, &t->exact.at[o->at]->rule)) {
		if (o->length > o->rule.prefix.length)
			return NULL;
		next_length(o);
	}
	return t->exact.at[o->at++];
}
