// SPDX-License-Identifier: BSD-2-Clause
#include "helper/rules/table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void table_clear(struct table *t)
{
	for (size_t i = 0; i < t->n_bindings; i++)
		free(t->bindings[i]);
	for (size_t i = 0; i < t->n_listeners; i++) {
		free(t->listeners[i]->members);
		free(t->listeners[i]);
	}
	free(t->bindings);
	free(t->exact.at);
	free(t->wide.at);
	free(t->listeners);
	free(t->holders);
	*t = (struct table){0};
}

/* Makes room for one more element; arrays double, so that adding many is linear. */
static int grow(void **array, size_t n, size_t element)
{
	void *larger;

	if (n & (n - 1) || n == 0) {
		if (n != 0)
			return 0;
	}
	larger = reallocarray(*array, n ? n * 2 : 1, element);
	if (!larger)
		return -ENOMEM;
	*array = larger;
	return 0;
}

int table_add_listener(struct table *t, struct listener *l)
{
	int err = grow((void **)&t->listeners, t->n_listeners, sizeof(struct listener *));

	if (!err)
		t->listeners[t->n_listeners++] = l;
	return err;
}

int table_add_binding(struct table *t, struct binding *b)
{
	int err = grow((void **)&t->bindings, t->n_bindings, sizeof(struct binding *));

	if (!err)
		err = table_index(t, b);
	if (!err)
		t->bindings[t->n_bindings++] = b;
	return err;
}

int listener_add_member(struct listener *l, const struct member *m)
{
	int err = grow((void **)&l->members, l->n_members, sizeof(*m));

	if (!err)
		l->members[l->n_members++] = *m;
	return err;
}

static bool has_own(const struct table *t, const struct listener *l)
{
	for (size_t i = 0; i < t->n_bindings; i++) {
		if (t->bindings[i]->listener == l && t->bindings[i]->own)
			return true;
	}
	return false;
}

int table_add_own(struct table *t, struct listener *l)
{
	struct prefix own[2];
	size_t n = listener_own_prefixes(l, own);

	if (l->protocol != IPPROTO_UDP || has_own(t, l))
		return 0;
	for (size_t i = 0; i < n; i++) {
		struct binding *b = calloc(1, sizeof(*b));

		if (!b)
			return -ENOMEM;
		*b = (struct binding){
			.id = l->id,
			.listener = l,
			.rule = {.prefix = own[i],
				 .first = l->port,
				 .last = l->port,
				 .protocol = IPPROTO_UDP},
			.uid = l->members[0].uid,
			.own = true,
		};
		if (table_add_binding(t, b) < 0) {
			free(b);
			return -ENOMEM;
		}
	}
	return 0;
}

void table_remove_listener(struct table *t, struct listener *l)
{
	for (size_t i = 0; i < t->n_listeners; i++) {
		if (t->listeners[i] != l)
			continue;
		memmove(t->listeners + i, t->listeners + i + 1,
			(t->n_listeners - i - 1) * sizeof(struct listener *));
		t->n_listeners--;
		free(l->members);
		free(l);
		return;
	}
}

void table_remove_dead(struct table *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_listeners; i++) {
		struct listener *l = t->listeners[i];

		if (!l->dead) {
			t->listeners[kept++] = l;
			continue;
		}
		free(l->members);
		free(l);
	}
	t->n_listeners = kept;
}

void table_remove_binding(struct table *t, struct binding *b)
{
	for (size_t i = 0; i < t->n_bindings; i++) {
		if (t->bindings[i] != b)
			continue;
		memmove(t->bindings + i, t->bindings + i + 1,
			(t->n_bindings - i - 1) * sizeof(struct binding *));
		t->n_bindings--;
		table_unindex(t, &b, 1);
		free(b);
		return;
	}
}

/* A total order, so that equal sets come out as equal arrays. */
static int compare_holders(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;

	if (x->protocol != y->protocol)
		return x->protocol - y->protocol;
	if (x->port != y->port)
		return x->port - y->port;
	if (x->prefix.family != y->prefix.family)
		return x->prefix.family - y->prefix.family;
	if (x->prefix.length != y->prefix.length)
		return x->prefix.length - y->prefix.length;
	return memcmp(x->prefix.address, y->prefix.address, sizeof(x->prefix.address));
}

static bool same_port(const struct holder *a, const struct holder *b)
{
	return a->protocol == b->protocol && a->port == b->port;
}

/* How many follow each other from `at` on that hold the same port. */
static size_t group(const struct holder *at, size_t left)
{
	size_t n = 0;

	while (n < left && same_port(at, at + n))
		n++;
	return n;
}

static bool same_group(const struct holder *a, size_t n_a, const struct holder *b, size_t n_b)
{
	if (n_a != n_b)
		return false;
	for (size_t i = 0; i < n_a; i++) {
		if (compare_holders(a + i, b + i) != 0)
			return false;
	}
	return true;
}

static void report_changes(const struct holder *old, size_t n_old, const struct holder *new, size_t n_new,
			   port_changed *changed, void *context)
{
	while (n_old || n_new) {
		const struct holder *first = new;
		size_t a = 0, b = 0;

		if (n_old && (!n_new || compare_holders(old, new) < 0))
			first = old;
		if (n_old && same_port(first, old))
			a = group(old, n_old);
		if (n_new && same_port(first, new))
			b = group(new, n_new);
		if (!same_group(old, a, new, b))
			changed(context, first->protocol, first->port);
		if (a) /* a list of none may be NULL */
			old += a;
		if (b)
			new += b;
		n_old -= a;
		n_new -= b;
	}
}

void table_set_holders(struct table *t, struct holder *holders, size_t n, port_changed *changed,
		       void *context)
{
	struct holder *old = t->holders;
	size_t n_old = t->n_holders;

	if (n)
		qsort(holders, n, sizeof(*holders), compare_holders);
	t->holders = holders;
	t->n_holders = n;
	if (changed)
		report_changes(old, n_old, holders, n, changed, context);
	free(old);
}

struct member *listener_find_cookie(const struct listener *l, uint64_t cookie)
{
	for (size_t i = 0; i < l->n_members; i++) {
		if (l->members[i].cookie == cookie && !l->members[i].dead)
			return &l->members[i];
	}
	return NULL;
}

struct listener *table_find_cookie(const struct table *t, uint64_t cookie)
{
	for (size_t i = 0; i < t->n_listeners; i++) {
		if (listener_find_cookie(t->listeners[i], cookie))
			return t->listeners[i];
	}
	return NULL;
}

bool listener_same_address(const struct listener *a, const struct listener *b)
{
	return a->family == b->family && a->protocol == b->protocol && a->port == b->port &&
	       a->ifindex == b->ifindex && a->v6only == b->v6only && memcmp(a->address, b->address, 16) == 0;
}

bool listener_is_udp(const struct listener *l)
{
	return l->protocol == IPPROTO_UDP;
}

bool listener_serves(const struct listener *l, int family)
{
	return l->family == family || (l->family == AF_INET6 && !l->v6only);
}

size_t listener_own_prefixes(const struct listener *l, struct prefix own[2])
{
	own[0] = prefix_bound(l->family, l->address);
	/* ::ffff:0.0.0.0 is every address of IPv4 alone */
	if (own[0].family == AF_INET || own[0].length > 0 || l->v6only)
		return 1;
	own[1] = prefix_any(AF_INET);
	return 2;
}

void listener_format(const struct listener *l, char out[LISTENER_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(l->family, l->address, address, sizeof(address));
	snprintf(out, LISTENER_TEXT, l->family == AF_INET ? "%s:%u" : "[%s]:%u", address, l->port);
}

void ports_format(uint16_t first, uint16_t last, char out[PORTS_TEXT])
{
	if (first == last)
		snprintf(out, PORTS_TEXT, "%u", first);
	else if (first <= 1 && last == 65535)
		snprintf(out, PORTS_TEXT, "*");
	else
		snprintf(out, PORTS_TEXT, "%u-%u", first, last);
}
