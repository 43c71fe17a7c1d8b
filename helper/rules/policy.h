/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who may have what: the helper never gives what bind() would have refused, but
 * for what the policy file grants beyond that. Pure.
 */
#ifndef SKL_POLICY_H
#define SKL_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/rules/grants.h"
#include "helper/rules/table.h"
#include "helper/say.h"

/* Who claims, as the kernel tells it. */
struct claimant {
	uint32_t uid;
	bool may_bind_low;	  /* CAP_NET_BIND_SERVICE where the socket's network namespace belongs */
	uint32_t first_free_port; /* of the socket's network namespace: ports from here on are anybody's */
	uint16_t first_local_port, last_local_port; /* there, too: where programs send from */
	bool may_route;				    /* CAP_NET_ADMIN there */
	uint32_t gid;
	const uint32_t *groups; /* supplementary */
	size_t n_groups;
	const struct policy *policy; /* NULL: nothing is granted */
};

/* Most rules that "*" comes to. */
#define PIECES_MAX 128

struct pieces {
	struct rule at[PIECES_MAX];
	size_t n;
	bool less_local;  /* "*" for UDP: without the ports that programs send from */
	bool less_single; /* "*": without granted ports that stand alone */
};

/*
 * What of a rule may the claimant cover? Any but "*" he may cover as a whole
 * (then it is the only piece) or not at all. "*" means what he may have of it:
 *
 *   - without the ports that programs send from, for UDP: the answers to what
 *     they ask come in there, and would be taken from them before anybody could
 *     see that they are in use;
 *   - without a granted port that stands alone below the free ones: a binding of
 *     one port does not give way, so it is to be asked for by its number.
 *
 * Returns 0, or -EACCES or -E2BIG with the sentence in `s`.
 */
int policy_ports(const struct claimant *who, const struct rule *r, struct pieces *out, struct say *s);

/*
 * The grants without which he could not cover all of this rule, which he may: up
 * to `room` of them into `out`. Returns how many; 0 where he needs none.
 */
size_t policy_granting(const struct claimant *who, const struct rule *r, const struct grant **out,
		       size_t room);

/* The same in words: "", "[web]", "[web] [ftp]". */
void policy_granted_by(const struct claimant *who, const struct rule *r, char *out, size_t size);

/* Of a rule that he may not cover: the first port that he lacks, and a grant of his that has it, but for
 * other addresses; or NULL. */
const struct grant *policy_elsewhere(const struct claimant *who, const struct rule *r, uint32_t *port);

/* The grant by which a local route for this prefix may be added for him, or NULL. */
const struct grant *policy_routing(const struct claimant *who, const struct prefix *prefix);

/* The grant by which the claimant may take this single port from another user, or NULL. */
const struct grant *policy_takeover(const struct claimant *who, const struct rule *r);

/* The largest that a grant of his says; where none does, that of everybody. Root has none: UINT32_MAX. */
uint32_t policy_quota(const struct claimant *who, enum quota q);

/*
 * May this prefix be made local for a listener at all, whoever asks? Not if it
 * would take a large part of all addresses, or those that are not one machine's.
 */
bool policy_is_routable(const struct prefix *p);

/* May the claimant have it made local, by CAP_NET_ADMIN or by a grant? */
bool policy_route(const struct claimant *who, const struct prefix *p);

/* What stands against a rule: one of the two. */
struct conflict {
	const struct binding *binding;
	const struct holder *holder;
};

/*
 * Would this rule for a single port take what another listener or socket
 * receives today? A longer prefix over a wider one of the same user is fine, and
 * what another user has where the claimant may take over. Wide rules are not
 * asked about: they give way (binding_left_out()).
 */
bool policy_conflict(const struct table *t, const struct claimant *who, const struct listener *l,
		     const struct rule *r, struct conflict *out);

/*
 * A socket that has come to the binding's single port since it was granted, and
 * gets nothing there while the coverage lasts; or NULL.
 */
const struct holder *policy_shadowed(const struct table *t, const struct binding *b);

/* Says what stands against the rule, whose it is and how to mend it; returns -EADDRINUSE. */
int policy_refuse(const struct conflict *c, const struct rule *r, struct say *s);

/* "tcp port 22", "tcp ports 80-89" */
#define RULE_TEXT 32
void rule_format(const struct rule *r, char out[RULE_TEXT]);

#endif
