// SPDX-License-Identifier: BSD-2-Clause
/* The question, and the verdict in words. */
#include "helper/cli/judge.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "helper/cli/skl.h"
#include "helper/rules/items.h"

static const char *address(const struct prefix *p, char out[PREFIX_TEXT])
{
	prefix_format(p, out);
	if (p->length)
		return out;
	return p->family == AF_INET ? "every address" : "every IPv6 address";
}

static void print_grant(const struct judge *j, const struct grant *g)
{
	printf("[%s], %s line %u", g->name, j->file, g->line);
}

static void print_may_not(const struct judge *j, const struct rule *r)
{
	char what[RULE_TEXT], where[PREFIX_TEXT];
	uint32_t port;
	const struct grant *g = policy_elsewhere(&j->who, r, &port);

	rule_format(r, what);
	printf("%s may not cover %s on %s: ", j->user, what, address(&r->prefix, where));
	if (g) {
		print_grant(j, g);
		printf(", grants port %u on other addresses only:", port);
		for (size_t i = 0; i < g->n_cidrs; i++) {
			prefix_format(&g->cidrs[i], where);
			printf(" %s", where);
		}
		printf("\n");
		return;
	}
	printf("ports below %u need CAP_NET_BIND_SERVICE, and no grant in %s names ", j->who.first_free_port,
	       j->file);
	if (rule_is_wide(r))
		printf("port %u\n", port);
	else
		printf("it\n");
}

static void print_may(const struct judge *j, const struct rule *r)
{
	const struct grant *by[16], *takeover = rule_is_wide(r) ? NULL : policy_takeover(&j->who, r);
	size_t n = policy_granting(&j->who, r, by, sizeof(by) / sizeof(by[0]));
	char what[RULE_TEXT], where[PREFIX_TEXT];

	rule_format(r, what);
	printf("%s may cover %s on %s: ", j->user, what, address(&r->prefix, where));
	for (size_t i = 0; i < n; i++) {
		printf("%s", i ? "; " : "granted by ");
		print_grant(j, by[i]);
	}
	if (n == 0 && j->who.may_bind_low)
		printf("has CAP_NET_BIND_SERVICE");
	else if (n == 0)
		printf("ports from %u on are anybody's", j->who.first_free_port);
	printf("\n");
	if (takeover) {
		printf("%s may take %s over from another user who has it: granted by ", j->user, what);
		print_grant(j, takeover);
		printf("\n");
	}
}

static bool judge_rule(const struct judge *j, const struct rule *r)
{
	struct pieces pieces;
	struct say s = {0};
	int err = policy_ports(&j->who, r, &pieces, &s);

	if (err == -EACCES)
		print_may_not(j, r);
	else if (err)
		printf("%s\n", s.text);
	for (size_t i = 0; !err && i < pieces.n; i++)
		print_may(j, &pieces.at[i]);
	return !err;
}

static void judge_route(const struct judge *j, const struct prefix *prefix)
{
	const struct grant *g = policy_routing(&j->who, prefix);
	char where[PREFIX_TEXT];

	if (!g || !policy_is_routable(prefix))
		return;
	prefix_format(prefix, where);
	printf("a local route for %s may be added for %s: granted by ", where, j->user);
	print_grant(j, g);
	printf("\n");
}

static int usage_error(const char *what)
{
	complain("doctor: %s, as in: skl doctor --policy alice 80/tcp 192.0.2.0/24", what);
	return SKL_USAGE;
}

static int complain_of(const struct say *s)
{
	complain("doctor: %s", s->text);
	return SKL_USAGE;
}

static int judge_all(const struct judge *j, char **words)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct rule rule = {.prefix = prefix_any(AF_INET)};
	struct port_item ports;
	struct say s = {0};
	bool all = true;

	if (item_ports((struct text){words[0], strlen(words[0])}, &ports, &s, "PORT") < 0)
		return complain_of(&s);
	if (words[1] && item_prefix((struct text){words[1], strlen(words[1])}, &rule.prefix, &s, "CIDR") < 0)
		return complain_of(&s);
	rule.first = ports.first;
	rule.last = ports.last;
	for (size_t i = 0; i < 2; i++) {
		rule.protocol = protocols[i];
		if (ports.protocol == 0 || ports.protocol == rule.protocol)
			all &= judge_rule(j, &rule);
	}
	if (words[1])
		judge_route(j, &rule.prefix);
	return all ? SKL_OK : SKL_FAILED;
}

int judge_main(const char *user, const char *file, char **words)
{
	struct judge judge;
	int code;

	if (!user)
		return usage_error("--policy must say whom it is to judge");
	if (!words[0] || (words[1] && words[2]))
		return usage_error("one PORT must follow, and a CIDR may");
	if (judge_open(&judge, user, file ? file : POLICY_PATH) != 0)
		return SKL_USAGE;
	code = judge_all(&judge, words);
	judge_close(&judge);
	return code;
}
