// SPDX-License-Identifier: BSD-2-Clause
/*
 * The SKL_* variables: from text to rules, and from rules to what each port gets.
 *
 * The first four bytes of the input choose the listener, the rest is the text.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "helper/rules/policy.h"
#include "helper/rules/request.h"
#include "helper/rules/table.h"

#define RULES_MAX 4096
#define BOUND_MAX 48 /* rules that become bindings: what a port gets takes time quadratic in them */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void choose_listener(const uint8_t *byte, struct listener *l)
{
	static const uint8_t addresses[][16] = {
		{0},
		{127, 0, 0, 1},
		{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}, /* IPv4-mapped */
		{0x20, 0x01, 0x0d, 0xb8, [15] = 1},
	};

	*l = (struct listener){
		.id = 1,
		.family = byte[0] & 1 ? AF_INET6 : AF_INET,
		.protocol = byte[0] & 2 ? IPPROTO_UDP : IPPROTO_TCP,
		.v6only = byte[0] & 4,
		.port = (uint16_t)(byte[2] << 8 | byte[3] | 1),
	};
	memcpy(l->address, addresses[byte[1] % 4], l->family == AF_INET ? 4 : 16);
}

static void check_prefix(const struct prefix *p)
{
	unsigned int bits = p->family == AF_INET ? 32 : 128;

	assert((p->family == AF_INET || p->family == AF_INET6) && p->length <= bits);
	for (unsigned int i = p->length; i < 128; i++)
		assert(!(p->address[i / 8] >> (7 - i % 8) & 1));
}

static void check_rules(const struct listener *l, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		check_prefix(&rules[i].prefix);
		assert(rules[i].first >= 1 && rules[i].first <= rules[i].last);
		assert(rules[i].protocol == l->protocol && listener_serves(l, rules[i].prefix.family));
		for (size_t j = 0; j < i && i < 100; j++)
			assert(rules[i].first != rules[j].first || rules[i].last != rules[j].last ||
			       !prefix_same(&rules[i].prefix, &rules[j].prefix));
	}
}

struct rows {
	uint32_t next; /* port */
};

static int check_row(void *context, uint16_t first, uint16_t last, const struct binding *const *order,
		     size_t n)
{
	struct rows *rows = context;

	assert(first == rows->next && first <= last);
	rows->next = last + 1u;
	for (size_t i = 0; i < n; i++) {
		assert(order[i]->rule.first <= first && last <= order[i]->rule.last);
		assert(i == 0 || order[i - 1]->rule.prefix.length >= order[i]->rule.prefix.length);
		assert(i == 0 || !prefix_same(&order[i - 1]->rule.prefix, &order[i]->rule.prefix));
	}
	return 0;
}

static void bind_rule(struct table *t, const struct claimant *who, struct listener *l, const struct rule *r,
		      uint16_t index)
{
	struct conflict conflict;
	struct binding *b;
	char less[62];

	if (table_has(t, l, r) || (!rule_is_wide(r) && policy_conflict(t, who, l, r, &conflict)))
		return;
	b = calloc(1, sizeof(*b));
	assert(b);
	*b = (struct binding){.id = 1u + index, .listener = l, .rule = *r, .uid = who->uid, .index = index};
	assert(table_add_binding(t, b) == 0);
	assert(table_has(t, l, r));
	binding_left_out_text(t, b, less, sizeof(less));
	assert(memchr(less, '\0', sizeof(less)));
}

/* As a claim does it: what may be had becomes bindings. */
static void bind_rules(const struct listener *from, const struct rule *rules, size_t n, struct say *s)
{
	static const struct claimant who = {
		.uid = 1000, .first_free_port = 1024, .first_local_port = 32768, .last_local_port = 60999};
	static const int families[] = {AF_INET, AF_INET6};
	struct listener *l = calloc(1, sizeof(*l));
	struct member m = {.cookie = 1, .slot = 1};
	struct table t = {0};
	struct pieces pieces;

	assert(l);
	*l = *from;
	assert(listener_add_member(l, &m) == 0 && table_add_listener(&t, l) == 0);
	assert(table_add_own(&t, l) == 0);
	for (size_t i = 0; i < n && i < BOUND_MAX; i++) {
		if (policy_ports(&who, &rules[i], &pieces, s) < 0)
			continue;
		assert(pieces.n <= PIECES_MAX);
		for (size_t p = 0; p < pieces.n; p++)
			bind_rule(&t, &who, l, &pieces.at[p], (uint16_t)(1 + t.n_bindings));
	}
	for (size_t f = 0; f < 2; f++) {
		struct rows rows = {.next = 0};
		int err = table_rows(&t, l->protocol, families[f], 0, 65535, check_row, &rows);

		assert(err == 0);
		assert(rows.next == 65536);
	}
	table_clear(&t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct say s = {0};
	struct request request;
	struct listener l;
	struct rule *rules = NULL;
	char *text;
	int err, n;

	if (size < 4)
		return 0;
	choose_listener(data, &l);
	/* memory that ends where the text does */
	text = malloc(size - 4 ? size - 4 : 1);
	assert(text);
	memcpy(text, data + 4, size - 4);
	err = request_parse(text, size - 4, &request, &s);
	free(text);
	assert(err == 0 || s.length > 0);
	assert(s.length == strlen(s.text) && s.length <= SKL_SAY_MAX);
	if (!err) {
		request_has_range(&request);
		request_is_for(&request, &l);
		n = request_rules(&request, &l, data[0] & 8, RULES_MAX, &rules, &s);
		assert(n <= RULES_MAX && (n >= 0 || s.length > 0));
		if (n > 0) {
			check_rules(&l, rules, (size_t)n);
			bind_rules(&l, rules, (size_t)n, &s);
		}
		free(rules);
	}
	request_free(&request);
	return 0;
}
