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

static bool against_binding(const struct binding *b, const struct claimant *who, const struct listener *l,
			    const struct rule *r)
{
	if (b->listener == l || !rules_overlap(&b->rule, r))
		return false;
	if (!rule_is_wide(&b->rule) && prefix_same(&b->rule.prefix, &r->prefix))
		return true;
	return b->uid != who->uid && rules_precedence(r, &b->rule) < 0;
}

static bool against_holder(const struct holder *h, const struct claimant *who, const struct listener *l,
			   const struct rule *r)
{
	if (h->protocol != r->protocol || h->port != r->first || !prefix_overlaps(&h->prefix, &r->prefix))
		return false;
	if (listener_find_cookie(l, h->cookie))
		return false;
	return h->uid != who->uid || h->prefix.length >= r->prefix.length;
}

bool policy_conflict(const struct table *t, const struct claimant *who, const struct listener *l,
		     const struct rule *r, struct conflict *out)
{
	bool takes_over;

	*out = (struct conflict){0};
	if (rule_is_wide(r))
		return false;
	takes_over = policy_takeover(who, r) != NULL;
	for (size_t i = 0; i < t->n_bindings && !out->binding; i++) {
		if (takes_over && t->bindings[i]->uid != who->uid)
			continue;
		if (against_binding(t->bindings[i], who, l, r))
			out->binding = t->bindings[i];
	}
	for (size_t i = 0; i < t->n_holders && !out->binding && !out->holder; i++) {
		if (takes_over && t->holders[i].uid != who->uid)
			continue;
		if (against_holder(&t->holders[i], who, l, r))
			out->holder = &t->holders[i];
	}
	return out->binding || out->holder;
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
