/* SPDX-License-Identifier: BSD-2-Clause */
/* Who may have what: the helper never gives what bind() would have refused. Pure. */
#ifndef SKL_POLICY_H
#define SKL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/rules/table.h"
#include "helper/say.h"

/* Who claims, as the kernel tells it. */
struct claimant {
	uint32_t uid;
	bool may_bind_low;	  /* CAP_NET_BIND_SERVICE where the socket's network namespace belongs */
	uint32_t first_free_port; /* of the socket's network namespace: ports from here on are anybody's */
	uint16_t first_local_port, last_local_port; /* there, too: where programs send from */
	bool may_route;				    /* CAP_NET_ADMIN there */
};

/*
 * "*" for UDP does not mean the ports that programs send from: the answers to
 * what they ask come in there, and would be taken from them before anybody
 * could see that they are in use. Makes of such a rule the one or two that it
 * means and returns how many; of any other rule itself, and 1.
 */
int policy_split(const struct claimant *who, const struct rule *r, struct rule out[2]);

/*
 * May the claimant cover these ports at all? "*" means every port that he may
 * have, and is narrowed to them. Returns 0, or -EACCES with the sentence in `s`.
 */
int policy_ports(const struct claimant *who, struct rule *r, struct say *s);

/*
 * May this prefix be made local for a listener at all, whoever asks? Not if it
 * would take a large part of all addresses, or those that are not one machine's.
 */
bool policy_is_routable(const struct prefix *p);

/* May the claimant have it made local? */
bool policy_route(const struct claimant *who, const struct prefix *p);

/* What stands against a rule: one of the two. */
struct conflict {
	const struct binding *binding;
	const struct holder *holder;
};

/*
 * Would this rule for a single port take what another listener or socket
 * receives today? A longer prefix over a wider one of the same user is fine.
 * Wide rules are not asked about: they give way (binding_left_out()).
 */
bool policy_conflict(const struct table *t, const struct claimant *who, const struct listener *l,
		     const struct rule *r, struct conflict *out);

/* Says what stands against the rule, whose it is and how to mend it; returns -EADDRINUSE. */
int policy_refuse(const struct conflict *c, const struct rule *r, struct say *s);

/* "tcp port 22", "tcp ports 80-89" */
#define RULE_TEXT 32
void rule_format(const struct rule *r, char out[RULE_TEXT]);

#endif
