/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the rules talk about, made from text. Text that a test misspelt fails that test. */
#ifndef SKL_TESTS_UNIT_OBJECTS_H
#define SKL_TESTS_UNIT_OBJECTS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/rules/table.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* "10.0.0.0/8", without host bits. */
static inline struct prefix prefix_of(const char *text)
{
	struct prefix p;
	bool masked;

	if (prefix_parse(text, strlen(text), &p, &masked) < 0 || masked)
		fail_msg("the test means a prefix: \"%s\"", text);
	return p;
}

/* "10.0.0.0/8" and "80", "80-89" or "*": a TCP rule. */
static inline struct rule rule_of(const char *prefix, const char *ports)
{
	struct rule r = {.prefix = prefix_of(prefix), .protocol = IPPROTO_TCP};
	int n = sscanf(ports, "%hu-%hu", &r.first, &r.last);

	if (strcmp(ports, "*") == 0) {
		r.first = 1;
		r.last = 65535;
	} else if (n == 1) {
		r.last = r.first;
	} else if (n != 2) {
		fail_msg("the test means ports: \"%s\"", ports);
	}
	return r;
}

/* A TCP listener bound to this address, with no member yet. IPv4-mapped text makes an AF_INET6 one. */
static inline struct listener listener_of(const char *address, uint16_t port)
{
	struct listener l = {.port = port, .protocol = IPPROTO_TCP};

	l.family = strchr(address, ':') ? AF_INET6 : AF_INET;
	if (inet_pton(l.family, address, l.address) != 1)
		fail_msg("the test means an address: \"%s\"", address);
	return l;
}

/* Adds a listener with one member: ids, slots and cookies count from 1, 1 and 101. */
static inline struct listener *add_listener(struct table *t, const char *address, uint16_t port, uint32_t uid)
{
	struct listener *l = malloc(sizeof(*l));
	struct member m = {.uid = uid, .pid = 4000 + (int32_t)t->n_listeners, .program = "server"};

	assert_non_null(l);
	*l = listener_of(address, port);
	l->id = t->n_listeners + 1;
	m.slot = (uint16_t)l->id;
	m.cookie = 100 + l->id;
	assert_int_equal(listener_add_member(l, &m), 0);
	assert_int_equal(table_add_listener(t, l), 0);
	return l;
}

/* Adds a binding: ids and indices count from 1, so that later ones are younger. */
static inline struct binding *add_binding(struct table *t, struct listener *l, uint32_t uid, struct rule rule)
{
	struct binding *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->id = t->n_bindings + 1;
	b->index = (uint16_t)b->id;
	b->listener = l;
	b->rule = rule;
	b->uid = uid;
	assert_int_equal(table_add_binding(t, b), 0);
	return b;
}

/* A TCP socket of the namespace that nobody claimed for. */
static inline struct holder holder_of(const char *prefix, uint16_t port, uint32_t uid, uint64_t cookie)
{
	return (struct holder){.cookie = cookie,
			       .prefix = prefix_of(prefix),
			       .uid = uid,
			       .port = port,
			       .protocol = IPPROTO_TCP};
}

/* Gives the table a copy of these holders. */
static inline void set_holders(struct table *t, const struct holder *holders, size_t n, port_changed *changed,
			       void *context)
{
	struct holder *copy = n ? malloc(n * sizeof(*copy)) : NULL;

	if (n) {
		assert_non_null(copy);
		memcpy(copy, holders, n * sizeof(*copy));
	}
	table_set_holders(t, copy, n, changed, context);
}

#endif
