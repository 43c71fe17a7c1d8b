/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets that are covered as the helper does it: with its own code, but without asking it. */
#ifndef SKL_TESTS_BPF_COVERED_H
#define SKL_TESTS_BPF_COVERED_H

#include <netinet/in.h>

#include "helper/broker/broker.h"
#include "helper/datapath/datapath.h"
#include "helper/datapath/listener.h"
#include "helper/datapath/pins.h"
#include "tests/bpf/packets.h"
#include "tests/bpf/world.h"

static char pins[4096];
static struct datapath *datapath;
static struct table table;

static inline void check(int err, const char *what)
{
	errno = -err;
	if (err)
		die(what);
}

static inline void set_option(int fd, int level, int option, int value)
{
	if (setsockopt(fd, level, option, &value, sizeof(value)))
		die("setsockopt");
}

static inline void choose_pins(void)
{
	char base[4000];

	snprintf(base, sizeof(base), "%s/skl", bpffs);
	check(pins_prepare(base), base);
	pins_path(pins, sizeof(pins), base, 1);
}

/* For the namespace of packets.h. */
static inline void start_datapath(void)
{
	static const struct broker_paths none = {"", "", ""};

	if (broker_fd() < 0)
		check(broker_start(&none), "broker");
	check(datapath_create(&datapath, pins, here), "BPF programs");
}

static inline void stop_datapath(void)
{
	table_clear(&table);
	table = (struct table){0};
	check(datapath_remove(datapath), "removing what was pinned");
}

static inline uint64_t cookie_of(int fd)
{
	uint64_t cookie;
	socklen_t length = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length))
		die("SO_COOKIE");
	return cookie;
}

static inline void add_member(struct listener *l, int fd)
{
	struct member m = {.cookie = cookie_of(fd), .program = "test"};

	check(datapath_add_member(datapath, l, &m, fd), "member");
}

/* The table's, with this socket as the first member. */
static inline struct listener *add_listener(int fd)
{
	struct listener *l = calloc(1, sizeof(*l));
	struct received what;
	struct say why = {0};

	if (!l)
		die("memory");
	check(received_read(fd, &what, &why), why.text);
	received_close(&what);
	*l = what.listener;
	l->id = datapath_next_id(datapath);
	add_member(l, fd);
	check(table_add_listener(&table, l), "table");
	return l;
}

static inline void read_rule(struct rule *out, char *text)
{
	char *address, *ports;
	bool masked;
	int n;

	out->protocol = split(text, &address, &ports) == SOCK_DGRAM ? IPPROTO_UDP : IPPROTO_TCP;
	check(prefix_parse(address, strlen(address), &out->prefix, &masked), address);
	if (strcmp(ports, "*") == 0) {
		out->first = 1;
		out->last = 65535;
		return;
	}
	n = sscanf(ports, "%hu-%hu", &out->first, &out->last);
	if (n == 1)
		out->last = out->first;
}

/* "PREFIX:PORTS" as in SKL_BIND; cut up in place */
static inline void cover(struct listener *l, char *rule)
{
	struct binding *b = calloc(1, sizeof(*b));

	if (!b)
		die("memory");
	b->listener = l;
	b->id = datapath_next_id(datapath);
	read_rule(&b->rule, rule);
	check(datapath_add_binding(datapath, b), "binding");
	check(table_add_binding(&table, b), "table");
	check(datapath_refresh(datapath, &table, &b->rule), "tables");
}

/* What a UDP listener is bound to, so that its packets there are seen. */
static inline void cover_own(struct listener *l)
{
	check(table_add_own(&table, l), "table");
	for (size_t i = 0; i < table.n_bindings; i++) {
		if (table.bindings[i]->listener == l && table.bindings[i]->own)
			check(datapath_refresh(datapath, &table, &table.bindings[i]->rule), "tables");
	}
}

#endif
