// SPDX-License-Identifier: BSD-2-Clause
/* The policy file: from text to grants, and what somebody may have by them. */
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "helper/rules/grants.h"
#include "helper/rules/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names that end in a digit are known: as uid 1000 and some more. */
static int find_name(void *context, const char *name, uint32_t *id)
{
	size_t length = strlen(name);

	if (length == 0 || name[length - 1] < '0' || name[length - 1] > '9')
		return -ENOENT;
	*id = 1000u + (uint32_t)(name[length - 1] - '0');
	return 0;
}

struct told {
	size_t mistakes;
	unsigned int lines;
};

static void on_told(void *context, unsigned int line, bool mistake, const char *sentence)
{
	struct told *told = context;

	assert(line <= told->lines && *sentence);
	for (; *sentence; sentence++)
		assert((unsigned char)*sentence >= ' ' || *sentence == '\t');
	told->mistakes += mistake;
}

static void check_grant(const struct grant *g)
{
	assert(memchr(g->name, '\0', sizeof(g->name)));
	for (size_t i = 0; i < g->n_ports; i++)
		assert(g->ports[i].first >= 1 && g->ports[i].first <= g->ports[i].last);
	for (size_t i = 0; i < g->n_cidrs; i++)
		assert(g->cidrs[i].length <= (g->cidrs[i].family == AF_INET ? 32 : 128));
}

/* Whatever is granted: what he may cover is part of what he asks for. */
static void ask_for(const struct claimant *who, uint16_t first, uint16_t last, uint8_t protocol)
{
	struct rule r = {.prefix = prefix_any(AF_INET), .first = first, .last = last, .protocol = protocol};
	struct pieces pieces;
	struct say s = {0};
	char by[200];
	uint32_t port;

	if (policy_ports(who, &r, &pieces, &s) < 0) {
		assert(s.length > 0);
		policy_elsewhere(who, &r, &port);
		return;
	}
	assert(pieces.n <= PIECES_MAX);
	for (size_t i = 0; i < pieces.n; i++) {
		assert(pieces.at[i].first >= first && pieces.at[i].last <= last &&
		       pieces.at[i].first <= pieces.at[i].last);
		policy_granted_by(who, &pieces.at[i], by, sizeof(by));
		assert(memchr(by, '\0', sizeof(by)));
	}
}

static void ask(const struct policy *p)
{
	static const uint32_t groups[] = {1002, 1003};
	const struct claimant who = {
		.uid = 1001,
		.gid = 1001,
		.groups = groups,
		.n_groups = 2,
		.first_free_port = 1024,
		.first_local_port = 32768,
		.last_local_port = 60999,
		.policy = p,
	};
	struct prefix net = prefix_any(AF_INET6);

	ask_for(&who, 1, 65535, IPPROTO_TCP);
	ask_for(&who, 1, 65535, IPPROTO_UDP);
	ask_for(&who, 80, 80, IPPROTO_TCP);
	ask_for(&who, 20, 100, IPPROTO_UDP);
	policy_routing(&who, &net);
	for (enum quota q = 0; q < N_QUOTAS; q++)
		policy_quota(&who, q);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct names names = {find_name, find_name, NULL};
	struct told told = {.lines = 1};
	struct policy *p = NULL;
	char *text = malloc(size ? size : 1);
	int err;

	assert(text);
	memcpy(text, data, size);
	for (size_t i = 0; i < size; i++)
		told.lines += data[i] == '\n';
	err = grants_parse(text, size, &names, on_told, &told, &p);
	free(text);
	assert((size_t)err == told.mistakes);
	if (err)
		return 0;
	p->path = "fuzz";
	for (size_t i = 0; i < p->n_grants; i++)
		check_grant(&p->grants[i]);
	ask(p);
	policy_free(p);
	return 0;
}
