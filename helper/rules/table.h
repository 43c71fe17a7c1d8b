/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry of one network namespace: who listens, which bindings there
 * are, who else holds ports; and from these, what each port gets. Pure: it
 * makes no system call, and knows nothing of BPF but its limits.
 */
#ifndef SKL_TABLE_H
#define SKL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/rules/prefix.h"

/* Ports are in host byte order, both ends are included. Protocols are IPPROTO_TCP and IPPROTO_UDP. */
struct rule {
	struct prefix prefix;
	uint16_t first, last;
	uint8_t protocol;
};

/* One socket. A dead one keeps its place, because it may be the head of the chain or the link to later ones.
 */
struct member {
	uint64_t cookie;
	uint64_t instance; /* of the program that claimed, or 0 */
	uint64_t since;	   /* CLOCK_BOOTTIME, ns */
	uint32_t uid;	   /* who claimed */
	int32_t pid;	   /* decoration: who claimed */
	uint16_t slot;
	bool dead;
	char program[16]; /* decoration: NUL-terminated */
};

struct listener {
	uint64_t id;
	uint8_t address[16]; /* bound to; network byte order, IPv4 in the first 4 bytes */
	uint16_t port;
	uint8_t family, protocol;
	bool v6only, reuseport;
	bool dead;	  /* about to be taken out of the table, with others */
	bool answering;	  /* gone but for UDP sockets that may still answer somebody, and its own bindings */
	uint32_t ifindex; /* bound to this device, or 0 */
	size_t n_members; /* at least 1; the first one's slot stands for the listener in the maps */
	struct member *members;
};

struct binding {
	uint64_t id;
	uint64_t since; /* CLOCK_BOOTTIME, ns: orders by age */
	struct listener *listener;
	struct rule rule;
	uint32_t uid;	/* who claimed it */
	uint16_t index; /* of its counters; 0 for an own one */
	bool routed;	/* it keeps a local route for its prefix, one that was made for it */
	/*
	 * A UDP listener's own address and port. It gives the listener nothing that
	 * it has not, but its packets must be seen: they end what is remembered of
	 * where the client sent before.
	 */
	bool own;
	bool leaves; /* it is being taken out of the table */
};

struct binding_list {
	struct binding **at;
	size_t n, room;
};

/* A socket that receives on a port by the kernel's ordinary lookup; one that serves two families is two of
 * these. */
struct holder {
	uint64_t cookie;
	struct prefix prefix; /* the address it is bound to, or everything */
	uint32_t uid;
	uint16_t port;
	uint8_t protocol;
};

struct table {
	struct listener **listeners;
	size_t n_listeners;
	struct binding **bindings;
	size_t n_bindings;
	/* The same once more, to be found by their rules (overlaps.c): those for a single port, and the
	 * others. */
	struct binding_list exact, wide;
	uint32_t lengths[129];	/* how many of `exact` have prefixes of this length */
	struct holder *holders; /* sorted by protocol and port: table_set_holders() */
	size_t n_holders;
};

/* Frees everything in it. */
void table_clear(struct table *t);

/* Add an object made with calloc(); the table owns it from now on. 0 or -ENOMEM (then it is still the
 * caller's). */
int table_add_listener(struct table *t, struct listener *l);
int table_add_binding(struct table *t, struct binding *b);
int listener_add_member(struct listener *l, const struct member *m);

/* Adds a UDP listener's own bindings, unless they are there; nothing for TCP. 0 or -ENOMEM. */
int table_add_own(struct table *t, struct listener *l);

/* Take out and free; a listener must have no binding left. */
void table_remove_listener(struct table *t, struct listener *l);
void table_remove_dead(struct table *t); /* all listeners that are marked so */
void table_remove_binding(struct table *t, struct binding *b);

/* For those that add and take bindings out by themselves. 0 or -ENOMEM. */
int table_index(struct table *t, struct binding *b);
void table_unindex(struct table *t, struct binding *const *gone, size_t n);

/*
 * The table takes the array (from malloc) and sorts it. Calls `changed` for
 * each port whose holders are others than before, if it is not NULL.
 */
typedef void port_changed(void *context, uint8_t protocol, uint16_t port);
void table_set_holders(struct table *t, struct holder *holders, size_t n, port_changed *changed,
		       void *context);

struct listener *table_find_cookie(const struct table *t, uint64_t cookie);
struct member *listener_find_cookie(const struct listener *l, uint64_t cookie);

/* Are both bound to the same, in every respect that matters to bind()? */
bool listener_same_address(const struct listener *a, const struct listener *b);

bool listener_is_udp(const struct listener *l);

/* The families that a listener can serve: of an AF_INET6 socket without IPV6_V6ONLY both. */
bool listener_serves(const struct listener *l, int family);

/* The prefixes that a listener serves by being bound: one, or two where it is bound to every address of both.
 */
size_t listener_own_prefixes(const struct listener *l, struct prefix own[2]);

/* "0.0.0.0:80", "[::1]:80" */
#define LISTENER_TEXT 64
void listener_format(const struct listener *l, char out[LISTENER_TEXT]);

/* "80", "80-89" or "*" */
#define PORTS_TEXT 12
void ports_format(uint16_t first, uint16_t last, char out[PORTS_TEXT]);

static inline bool rule_is_wide(const struct rule *r)
{
	return r->first != r->last;
}

static inline bool rule_has_port(const struct rule *r, uint16_t port)
{
	return r->first <= port && port <= r->last;
}

/* Do they match a common packet? */
bool rules_overlap(const struct rule *a, const struct rule *b);

/*
 * Where two rules overlap, which one gets the packet? <0: a, >0: b, 0: the
 * rules do not say. The longer prefix wins; on a tie the narrower port range.
 */
int rules_precedence(const struct rule *a, const struct rule *b);

/* Has this listener a binding of just this rule? */
bool table_has(const struct table *t, const struct listener *l, const struct rule *r);

/*
 * All bindings that match a packet which a rule for a single port matches, in no
 * order; NULL is the end. The table must stay as it is meanwhile.
 */
struct overlaps {
	const struct table *table;
	struct rule rule, outer;
	size_t wide, at;
	unsigned int length;
};

struct overlaps table_overlaps(const struct table *t, const struct rule *r);
struct binding *overlaps_next(struct overlaps *o);

/* Those who hold a port: the first of them, and through *n how many follow each other. */
const struct holder *table_holders(const struct table *t, uint8_t protocol, uint16_t port, size_t *n);

/*
 * A range or "*" gives way: it does not get a port that an ordinary socket
 * holds, that another listener has for the same prefix and wins, or that an
 * older binding of another user has where this one would win. Always false for
 * a single port: that was settled when it was claimed.
 */
bool binding_left_out(const struct table *t, const struct binding *b, uint16_t port);

/*
 * The ports that a wide binding does not get, its listener's own port aside,
 * as text "22,53,100-200" (cut with ",..."). Returns how many they are.
 */
size_t binding_left_out_text(const struct table *t, const struct binding *b, char *out, size_t size);

/*
 * What the ports first..last get: calls `row` for consecutive runs of ports
 * that have the same answer, with the bindings that decide in order (longest
 * prefix first, one for each prefix). n is 0 where no binding applies.
 * Returns 0, -ENOMEM, or the first non-zero that row returned.
 */
typedef int table_row(void *context, uint16_t first, uint16_t last, const struct binding *const *order,
		      size_t n);
int table_rows(const struct table *t, uint8_t protocol, int family, uint16_t first, uint16_t last,
	       table_row *row, void *context);

#endif
