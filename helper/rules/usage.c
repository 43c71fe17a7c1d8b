// SPDX-License-Identifier: BSD-2-Clause
#include "helper/rules/usage.h"

#include <errno.h>

void usage_add(struct usage *u, const struct table *t, uint32_t uid)
{
	for (size_t i = 0; i < t->n_listeners; i++) {
		const struct listener *l = t->listeners[i];

		u->listeners += l->members[0].uid == uid;
		for (size_t m = 0; m < l->n_members; m++)
			u->sockets += l->members[m].uid == uid && !l->members[m].dead;
	}
	for (size_t i = 0; i < t->n_bindings; i++)
		u->bindings += t->bindings[i]->uid == uid && !t->bindings[i]->own;
}

size_t usage_ranges(const struct table *t, uint32_t uid)
{
	size_t n = 0;

	for (size_t i = 0; i < t->wide.n; i++)
		n += t->wide.at[i]->uid == uid;
	return n;
}

bool usage_is_tight(const struct usage *u, const struct claimant *who, size_t bindings)
{
	uint64_t listeners = policy_quota(who, QUOTA_LISTENERS);

	return u->listeners >= listeners || u->sockets >= listeners * SOCKETS_EACH ||
	       u->ranges + bindings > RANGES_MAX ||
	       u->bindings + bindings > policy_quota(who, QUOTA_BINDINGS);
}

static int refuse(const struct claimant *who, enum quota q, const char *what, size_t n, const char *noun,
		  struct say *s)
{
	return say_error(s, EMFILE, what, "uid %u has %zu %s, which is the most (%s in %s)", who->uid, n,
			 noun, quota_name(q), who->policy ? who->policy->path : POLICY_PATH);
}

int usage_listener(const struct usage *u, const struct claimant *who, const char *what, struct say *s)
{
	if (u->listeners < policy_quota(who, QUOTA_LISTENERS))
		return 0;
	return refuse(who, QUOTA_LISTENERS, what, u->listeners, "listeners", s);
}

int usage_socket(const struct usage *u, const struct claimant *who, const char *what, struct say *s)
{
	if (u->sockets < (uint64_t)policy_quota(who, QUOTA_LISTENERS) * SOCKETS_EACH)
		return 0;
	return refuse(who, QUOTA_LISTENERS, what, u->sockets, "sockets of listeners", s);
}

int usage_binding(const struct usage *u, const struct claimant *who, const struct rule *r, struct say *s)
{
	char what[RULE_TEXT];

	if (who->uid == 0)
		return 0;
	rule_format(r, what);
	if (u->bindings >= policy_quota(who, QUOTA_BINDINGS))
		return refuse(who, QUOTA_BINDINGS, what, u->bindings, "bindings", s);
	if (rule_is_wide(r) && u->ranges >= RANGES_MAX)
		return say_error(s, EMFILE, what,
				 "uid %u covers %d ranges in this network namespace, which is the most",
				 who->uid, RANGES_MAX);
	return 0;
}
