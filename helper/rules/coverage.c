// SPDX-License-Identifier: BSD-2-Clause
/* What a request comes to for one listener. */
#include "helper/rules/request.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct rules {
	struct rule *at;
	size_t n, room, most;
	int err;
	size_t wrong_family; /* rules left out because the socket cannot serve their family */
};

static int compare_rules(const struct rule *x, const struct rule *y)
{
	if (x->prefix.family != y->prefix.family)
		return x->prefix.family - y->prefix.family;
	if (x->prefix.length != y->prefix.length)
		return x->prefix.length - y->prefix.length;
	if (memcmp(x->prefix.address, y->prefix.address, sizeof(x->prefix.address)) != 0)
		return memcmp(x->prefix.address, y->prefix.address, sizeof(x->prefix.address));
	return x->first != y->first ? x->first - y->first : x->last - y->last;
}

/* Equal ones in the order in which they were asked for. */
static int by_rule(const void *a, const void *b)
{
	const struct rule *x = *(const struct rule *const *)a, *y = *(const struct rule *const *)b;
	int order = compare_rules(x, y);

	return order ? order : (x > y) - (x < y);
}

/* What was asked for twice is one rule, where it stood first. By sorting: there may be thousands. */
static void remove_duplicates(struct rules *r)
{
	struct rule **sorted = malloc((r->n + 1) * sizeof(struct rule *));
	size_t unique = 0;

	if (!sorted) {
		r->err = -ENOMEM;
		return;
	}
	for (size_t i = 0; i < r->n; i++)
		sorted[i] = &r->at[i];
	qsort(sorted, r->n, sizeof(struct rule *), by_rule);
	for (size_t i = r->n; i-- > 1;) {
		if (compare_rules(sorted[i], sorted[i - 1]) == 0)
			sorted[i]->first = 0; /* no port: to be left out */
	}
	free(sorted);
	for (size_t i = 0; i < r->n; i++) {
		if (r->at[i].first != 0)
			r->at[unique++] = r->at[i];
	}
	r->n = unique;
}

static void add(struct rules *r, const struct listener *l, const struct prefix *prefix, uint16_t first,
		uint16_t last)
{
	struct rule rule = {.prefix = *prefix, .first = first, .last = last, .protocol = l->protocol};
	struct prefix own[2];
	size_t n_own;

	if (r->err)
		return;
	if (!listener_serves(l, prefix->family)) {
		r->wrong_family++;
		return;
	}
	n_own = listener_own_prefixes(l, own);
	for (size_t i = 0; i < n_own; i++) {
		/*
		 * The kernel's ordinary lookup does this already. But a UDP answer from a
		 * socket bound to every address leaves with the address that the route
		 * prefers: where others are named, theirs is remembered.
		 */
		bool has = l->protocol == IPPROTO_UDP ? prefix_same(&own[i], prefix)
						      : prefix_covers(&own[i], prefix);

		if (first == last && first == l->port && has)
			return;
	}
	if (r->n == r->most) {
		r->err = -E2BIG;
		return;
	}
	if (r->n == r->room) {
		struct rule *larger = reallocarray(r->at, r->room ? r->room * 2 : 8, sizeof(rule));

		if (!larger) {
			r->err = -ENOMEM;
			return;
		}
		r->at = larger;
		r->room = r->room ? r->room * 2 : 8;
	}
	r->at[r->n++] = rule;
}

bool port_item_applies(const struct port_item *p, const struct listener *l)
{
	return p->protocol == 0 || p->protocol == l->protocol;
}

static void add_ports(struct rules *out, const struct request *r, const struct listener *l,
		      const struct prefix *prefix)
{
	for (size_t i = 0; i < r->n_ports; i++) {
		if (port_item_applies(&r->ports[i], l))
			add(out, l, prefix, r->ports[i].first, r->ports[i].last);
	}
}

unsigned int wide_bit(int family)
{
	return family == AF_INET ? WIDE_IPV4 : WIDE_IPV6;
}

int request_rules(const struct request *r, const struct listener *l, unsigned int wide, size_t most,
		  struct rule **rules, struct say *s)
{
	struct rules out = {.most = most};
	struct prefix own[2];
	size_t n_own = listener_own_prefixes(l, own);
	char where[LISTENER_TEXT];

	for (size_t i = 0; i < n_own; i++)
		add_ports(&out, r, l, &own[i]);
	for (size_t i = 0; i < r->n_cidrs; i++) {
		if (!(wide & wide_bit(r->cidrs[i].family)))
			continue;
		add(&out, l, &r->cidrs[i], l->port, l->port);
		add_ports(&out, r, l, &r->cidrs[i]);
	}
	for (size_t i = 0; i < r->n_binds; i++) {
		if ((wide & wide_bit(r->binds[i].prefix.family)) && port_item_applies(&r->binds[i].ports, l))
			add(&out, l, &r->binds[i].prefix, r->binds[i].ports.first, r->binds[i].ports.last);
	}
	remove_duplicates(&out);
	*rules = out.at;
	listener_format(l, where);
	if (out.err == -E2BIG)
		say_error(s, E2BIG, where, "more than %zu bindings in one request", most);
	else if (out.err)
		say_error(s, -out.err, where, "the bindings could not be listed");
	else if (out.n == 0 && out.wrong_family)
		out.err = say_error(s, EAFNOSUPPORT, where,
				    "SKL_CIDRS and SKL_BIND name only addresses of a family that this socket "
				    "does not serve");
	if (out.err) {
		free(out.at);
		*rules = NULL;
		return out.err;
	}
	return (int)out.n;
}
