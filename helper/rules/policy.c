// SPDX-License-Identifier: BSD-2-Clause
/* What stands against a rule, and rules in words. */
#include "helper/rules/policy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>

void rule_format(const struct rule *r, char out[RULE_TEXT])
{
	char ports[PORTS_TEXT];

	ports_format(r->first, r->last, ports);
	snprintf(out, RULE_TEXT, "%s port%s %s", r->protocol == IPPROTO_UDP ? "udp" : "tcp",
		 rule_is_wide(r) ? "s" : "", ports);
}

bool policy_is_routable(const struct prefix *p)
{
	if (p->family == AF_INET)
		return p->length >= 8 && (p->address[0] & 0xf0) != 0xe0;
	/* without fe80::/10, link-local, neighbours are not found; ff00::/8 is multicast */
	return p->length >= 16 && p->address[0] != 0xff &&
	       (p->address[0] != 0xfe || (p->address[1] & 0xc0) != 0x80);
}

bool policy_route(const struct claimant *who, const struct prefix *p)
{
	return policy_is_routable(p) && (who->may_route || policy_routing(who, p));
}

/* Of those that overlap. */
static bool against_binding(const struct binding *b, const struct claimant *who, const struct listener *l,
			    const struct rule *r)
{
	if (b->listener == l)
		return false;
	if (!rule_is_wide(&b->rule) && prefix_same(&b->rule.prefix, &r->prefix))
		return true;
	return b->uid != who->uid && rules_precedence(r, &b->rule) < 0;
}

/* Of those that hold the port. */
static bool against_holder(const struct holder *h, const struct claimant *who, const struct listener *l,
			   const struct rule *r)
{
	if (!prefix_overlaps(&h->prefix, &r->prefix))
		return false;
	if (listener_find_cookie(l, h->cookie))
		return false;
	return h->uid != who->uid || h->prefix.length >= r->prefix.length;
}

bool policy_conflict(const struct table *t, const struct claimant *who, const struct listener *l,
		     const struct rule *r, struct conflict *out)
{
	struct overlaps overlaps = table_overlaps(t, r);
	const struct holder *holders;
	const struct binding *b;
	size_t n;
	bool takes_over;

	*out = (struct conflict){0};
	if (rule_is_wide(r))
		return false;
	takes_over = policy_takeover(who, r) != NULL;
	while (!out->binding && (b = overlaps_next(&overlaps))) {
		if (!(takes_over && b->uid != who->uid) && against_binding(b, who, l, r))
			out->binding = b;
	}
	holders = table_holders(t, r->protocol, r->first, &n);
	for (size_t i = 0; i < n && !out->binding && !out->holder; i++) {
		if (!(takes_over && holders[i].uid != who->uid) && against_holder(&holders[i], who, l, r))
			out->holder = &holders[i];
	}
	return out->binding || out->holder;
}

const struct holder *policy_shadowed(const struct table *t, const struct binding *b)
{
	const struct claimant who = {.uid = b->uid};
	const struct holder *h;
	size_t n;

	if (b->own || rule_is_wide(&b->rule))
		return NULL;
	h = table_holders(t, b->rule.protocol, b->rule.first, &n);
	for (size_t i = 0; i < n; i++) {
		if (against_holder(&h[i], &who, b->listener, &b->rule))
			return &h[i];
	}
	return NULL;
}

int policy_refuse(const struct conflict *c, const struct rule *r, struct say *s)
{
	char what[RULE_TEXT], where[LISTENER_TEXT], prefix[PREFIX_TEXT], address[INET6_ADDRSTRLEN];

	rule_format(r, what);
	if (c->binding) {
		const struct listener *l = c->binding->listener;
		const struct member *m = &l->members[0];

		listener_format(l, where);
		prefix_format(&c->binding->rule.prefix, prefix);
		return say_error(s, EADDRINUSE, what,
				 "listener %llu (%s, pid %d, uid %u, bound to %s) covers it on %s (stop that "
				 "program, or choose another port)",
				 (unsigned long long)l->id, m->program, m->pid, m->uid, where, prefix);
	}
	inet_ntop(c->holder->prefix.family, c->holder->prefix.address, address, sizeof(address));
	return say_error(
		s, EADDRINUSE, what,
		"a socket of uid %u that is bound to %s has it (ss -ltnp 'sport = :%u' shows its program)",
		c->holder->uid, c->holder->prefix.length ? address : "every address", c->holder->port);
}
