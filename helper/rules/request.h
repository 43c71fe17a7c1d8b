/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program asks for: the SKL_* variables as text, and what they come to for one of its sockets. Pure.
 */
#ifndef SKL_REQUEST_H
#define SKL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/rules/table.h"
#include "helper/say.h"

#define SHARE_NAME 65 /* with its NUL */

struct port_item {
	uint16_t first, last; /* host byte order; "*" is 1 to 65535 */
	uint8_t protocol;     /* IPPROTO_TCP, IPPROTO_UDP, or 0 for both */
};

struct bind_item {
	struct prefix prefix;
	struct port_item ports;
};

struct request {
	struct port_item *ports; /* SKL_PORTS */
	size_t n_ports;
	struct prefix *cidrs; /* SKL_CIDRS */
	size_t n_cidrs;
	struct bind_item *binds; /* SKL_BIND */
	size_t n_binds;
	struct port_item *only; /* SKL_FOR: first == last; none means the program's first listener */
	size_t n_only;
	char share[SHARE_NAME]; /* SKL_SHARE, or empty */
	uint32_t hold_ms;	/* SKL_HOLD */
	bool has_hold;
};

/*
 * Reads NUL-terminated "NAME=value" strings. An empty value is as good as no
 * variable. A name that is not known, or not served, is refused by name.
 *
 * Returns 0, or -EINVAL, -EOPNOTSUPP or -ENOMEM with the sentence in `s`.
 * Remarks (host bits that were set) are said in `s` too. Free in any case.
 */
int request_parse(const char *text, size_t length, struct request *out, struct say *s);
void request_free(struct request *r);

/* Does it ask for bindings? Without, a program may still share its listener. */
bool request_wants_coverage(const struct request *r);

/* Does it ask for more than one port at once, anywhere? */
bool request_has_range(const struct request *r);

/* Is it about this listener's protocol? */
bool port_item_applies(const struct port_item *p, const struct listener *l);

/* Does SKL_FOR, where given, name this listener? */
bool request_is_for(const struct request *r, const struct listener *l);

#define WIDE_IPV4 1u
#define WIDE_IPV6 2u
#define WIDE_ALL  (WIDE_IPV4 | WIDE_IPV6)

/* The bit of AF_INET or AF_INET6. */
unsigned int wide_bit(int family);

/*
 * The rules that the request comes to for this listener: (its own address and
 * SKL_CIDRS) x (its own port and SKL_PORTS), less what it has already, and
 * SKL_BIND. The latter two only of the families that are in `wide`, which has
 * WIDE_ bits: a further listener of the same program on the same port gets no
 * CIDRs that an earlier one could serve.
 *
 * *rules is an array from malloc. Returns the number of rules, -ENOMEM, or
 *   -EAFNOSUPPORT  only prefixes of a family that the socket cannot serve
 *   -E2BIG         more than `most` rules, duplicates counted
 * with the sentence in `s`.
 */
int request_rules(const struct request *r, const struct listener *l, unsigned int wide, size_t most,
		  struct rule **rules, struct say *s);

#endif
