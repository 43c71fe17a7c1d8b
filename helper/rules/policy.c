// SPDX-License-Identifier: BSD-2-Clause
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

/* "*", or the part of it that policy_split() makes */
static bool is_every_port(const struct claimant *who, const struct rule *r)
{
	return r->last == 65535 || (r->protocol == IPPROTO_UDP && r->last + 1 == who->first_local_port);
}

int policy_ports(const struct claimant *who, struct rule *r, struct say *s)
{
	char what[RULE_TEXT];

	if (who->may_bind_low || r->first >= who->first_free_port)
		return 0;
	if (r->first == 1 && r->last >= who->first_free_port && is_every_port(who, r)) {
		r->first = (uint16_t)who->first_free_port;
		return 0;
	}
	rule_format(r, what);
	return say_error(s, EACCES, what,
			 "uid %u may not cover ports below %u (grant it in /etc/skl/policy.conf)", who->uid,
			 who->first_free_port);
}

int policy_split(const struct claimant *who, const struct rule *r, struct rule out[2])
{
	out[0] = out[1] = *r;
	if (r->protocol != IPPROTO_UDP || r->first != 1 || r->last != 65535 || who->first_local_port <= 1 ||
	    who->last_local_port < who->first_local_port)
		return 1;
	out[0].last = (uint16_t)(who->first_local_port - 1);
	if (who->last_local_port == 65535)
		return 1;
	out[1].first = (uint16_t)(who->last_local_port + 1);
	return 2;
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
	return who->may_route && policy_is_routable(p);
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
	*out = (struct conflict){0};
	if (rule_is_wide(r))
		return false;
	for (size_t i = 0; i < t->n_bindings && !out->binding; i++) {
		if (against_binding(t->bindings[i], who, l, r))
			out->binding = t->bindings[i];
	}
	for (size_t i = 0; i < t->n_holders && !out->binding && !out->holder; i++) {
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
