// SPDX-License-Identifier: BSD-2-Clause
/* Which ports and quotas somebody may have: by what bind() would allow, and by the grants that are his. */
#include "helper/rules/policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static bool has_id(const uint32_t *ids, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

static bool is_for(const struct grant *g, const struct claimant *who)
{
	if (has_id(g->users, g->n_users, who->uid) || has_id(g->groups, g->n_groups, who->gid))
		return true;
	for (size_t i = 0; i < who->n_groups; i++) {
		if (has_id(g->groups, g->n_groups, who->groups[i]))
			return true;
	}
	return false;
}

static bool has_protocol(const struct grant *g, const struct rule *r)
{
	return r->protocol == IPPROTO_UDP ? g->udp : g->tcp;
}

static bool has_prefix(const struct grant *g, const struct rule *r)
{
	for (size_t i = 0; i < g->n_cidrs; i++) {
		if (prefix_covers(&g->cidrs[i], &r->prefix))
			return true;
	}
	return g->n_cidrs == 0;
}

/* The last port of the span of this grant that has `port` and reaches furthest, or 0. */
static uint32_t span_end(const struct grant *g, uint32_t port)
{
	uint32_t end = 0;

	for (size_t i = 0; i < g->n_ports; i++) {
		if (g->ports[i].first <= port && port <= g->ports[i].last && g->ports[i].last > end)
			end = g->ports[i].last;
	}
	return end;
}

static uint32_t first_free(const struct claimant *who)
{
	return who->may_bind_low ? 0 : who->first_free_port;
}

static const struct grant *next_grant(const struct claimant *who, const struct grant *after)
{
	const struct policy *p = who->policy;
	size_t i;

	if (!p)
		return NULL;
	i = after ? (size_t)(after - p->grants) + 1 : 0;
	while (i < p->n_grants && !is_for(&p->grants[i], who))
		i++;
	return i < p->n_grants ? &p->grants[i] : NULL;
}

/* How far from `port` on one grant, *by, or that they are free (NULL), lets him have the rule's ports; 0: not
 * at all. */
static uint32_t reach(const struct claimant *who, const struct rule *r, uint32_t port,
		      const struct grant **by)
{
	uint32_t end = 0;

	*by = NULL;
	if (port >= first_free(who))
		return 65535;
	for (const struct grant *g = next_grant(who, NULL); g; g = next_grant(who, g)) {
		uint32_t one = has_protocol(g, r) && has_prefix(g, r) ? span_end(g, port) : 0;

		if (one > end) {
			end = one;
			*by = g;
		}
	}
	return end;
}

/* The first port from `port` on that he may not have. */
static uint32_t first_missing(const struct claimant *who, const struct rule *r, uint32_t port)
{
	const struct grant *by;
	uint32_t end;

	while (port <= r->last && (end = reach(who, r, port, &by)) != 0)
		port = end + 1;
	return port;
}

/* The first port from `port` on that he may have, or more than 65535. */
static uint32_t first_allowed(const struct claimant *who, const struct rule *r, uint32_t port)
{
	uint32_t first = first_free(who) > port ? first_free(who) : port;

	for (const struct grant *g = next_grant(who, NULL); g; g = next_grant(who, g)) {
		for (size_t i = 0; has_protocol(g, r) && has_prefix(g, r) && i < g->n_ports; i++) {
			uint32_t from = g->ports[i].first > port ? g->ports[i].first : port;

			if (from <= g->ports[i].last && from < first)
				first = from;
		}
	}
	return first;
}

static bool is_every_port(const struct rule *r)
{
	return r->first == 1 && r->last == 65535;
}

/* False when there is no room. */
static bool add_piece(struct pieces *out, const struct rule *r, uint32_t first, uint32_t last)
{
	if (first > last)
		return true;
	if (out->n == PIECES_MAX)
		return false;
	out->at[out->n] = *r;
	out->at[out->n].first = (uint16_t)first;
	out->at[out->n].last = (uint16_t)last;
	out->n++;
	return true;
}

static bool sends_from(const struct claimant *who, const struct rule *r)
{
	return r->protocol == IPPROTO_UDP && who->first_local_port > 1 &&
	       who->last_local_port >= who->first_local_port;
}

/* first..last, which he may have, less the ports that programs send from. */
static bool add_run(struct pieces *out, const struct claimant *who, const struct rule *r, uint32_t first,
		    uint32_t last)
{
	uint32_t from = who->first_local_port, to = who->last_local_port;

	if (!sends_from(who, r) || to < first || last < from)
		return add_piece(out, r, first, last);
	out->less_local = true;
	return add_piece(out, r, first, from - 1) && add_piece(out, r, to + 1 > first ? to + 1 : first, last);
}

static int take_apart(const struct claimant *who, const struct rule *r, struct pieces *out, struct say *s)
{
	uint32_t first = first_allowed(who, r, 1), end;
	char what[RULE_TEXT];

	for (; first <= 65535; first = first_allowed(who, r, end)) {
		end = first_missing(who, r, first);
		if (end - first == 1 && first < first_free(who)) {
			out->less_single = true;
			continue;
		}
		if (add_run(out, who, r, first, end - 1))
			continue;
		rule_format(r, what);
		return say_error(s, E2BIG, what,
				 "uid %u may have it in more than %d parts: name those that count", who->uid,
				 PIECES_MAX);
	}
	return 0;
}

const struct grant *policy_elsewhere(const struct claimant *who, const struct rule *r, uint32_t *port)
{
	const struct grant *g = next_grant(who, NULL);

	*port = first_missing(who, r, r->first);
	while (g && (!has_protocol(g, r) || !span_end(g, *port)))
		g = next_grant(who, g);
	return g;
}

static int refuse(const struct claimant *who, const struct rule *r, struct say *s)
{
	const char *path = who->policy ? who->policy->path : POLICY_PATH;
	uint32_t port;
	const struct grant *g = policy_elsewhere(who, r, &port);
	char what[RULE_TEXT], here[PREFIX_TEXT], there[PREFIX_TEXT];

	rule_format(r, what);
	prefix_format(&r->prefix, here);
	if (g) {
		prefix_format(&g->cidrs[0], there);
		return say_error(s, EACCES, what,
				 "[%s] grants port %u to uid %u on %s%s, not on %s (SKL_BIND asks for exact "
				 "addresses; the grant is in line %u of %s)",
				 g->name, port, who->uid, there, g->n_cidrs > 1 ? " and others" : "", here,
				 g->line, path);
	}
	if (port == r->first)
		return say_error(s, EACCES, what, "uid %u may not cover ports below %u (grant it in %s)",
				 who->uid, who->first_free_port, path);
	return say_error(s, EACCES, what, "uid %u may not cover port %u of it (grant it in %s)", who->uid,
			 port, path);
}

int policy_ports(const struct claimant *who, const struct rule *r, struct pieces *out, struct say *s)
{
	int err;

	out->n = 0;
	out->less_local = out->less_single = false;
	if (is_every_port(r)) {
		err = take_apart(who, r, out, s);
		return err || out->n ? err : refuse(who, r, s);
	}
	if (first_missing(who, r, r->first) <= r->last)
		return refuse(who, r, s);
	add_piece(out, r, r->first, r->last);
	return 0;
}

size_t policy_granting(const struct claimant *who, const struct rule *r, const struct grant **out,
		       size_t room)
{
	uint32_t port = r->first, end;
	size_t n = 0;

	while (port <= r->last && n < room && (end = reach(who, r, port, &out[n])) != 0) {
		n += out[n] && (n == 0 || out[n] != out[n - 1]);
		port = end + 1;
	}
	return n;
}

void policy_granted_by(const struct claimant *who, const struct rule *r, char *out, size_t size)
{
	const struct grant *by[8];
	size_t n = policy_granting(who, r, by, sizeof(by) / sizeof(by[0])), used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s[%s]", i ? " " : "", by[i]->name);
}

const struct grant *policy_takeover(const struct claimant *who, const struct rule *r)
{
	const struct grant *g = next_grant(who, NULL);

	while (g && !(g->takeover && has_protocol(g, r) && has_prefix(g, r) && span_end(g, r->first)))
		g = next_grant(who, g);
	return g;
}

const struct grant *policy_routing(const struct claimant *who, const struct prefix *prefix)
{
	const struct rule r = {.prefix = *prefix};
	const struct grant *g = next_grant(who, NULL);

	while (g && !(g->routes && has_prefix(g, &r)))
		g = next_grant(who, g);
	return g;
}

uint32_t policy_quota(const struct claimant *who, enum quota q)
{
	uint32_t most = 0;
	bool said = false;

	if (who->uid == 0)
		return UINT32_MAX;
	for (const struct grant *g = next_grant(who, NULL); g; g = next_grant(who, g)) {
		if (g->quotas[q] == QUOTA_UNSAID)
			continue;
		said = true;
		most = g->quotas[q] > most ? g->quotas[q] : most;
	}
	if (said)
		return most;
	return who->policy ? who->policy->quotas[q] : UINT32_MAX;
}
