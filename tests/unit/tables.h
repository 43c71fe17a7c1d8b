/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Words and chains of nodes, written into plain memory and read as the BPF
 * program reads them (bpf/dispatch.bpf.c). The trie is the kernel's, so here
 * it is missing.
 */
#ifndef SKL_TESTS_UNIT_TABLES_H
#define SKL_TESTS_UNIT_TABLES_H

#include "tests/unit/objects.h"

#include <endian.h>

#include "helper/datapath/classes.h"

#define N_PREFIXES 12

/* Longest first, as table_rows() gives them. */
static const char *const prefixes[2][N_PREFIXES] = {
	{"10.1.2.3", "10.1.2.4/31", "10.1.2.0/24", "10.2.2.0/24", "10.1.0.0/16", "10.2.0.0/16", "10.0.0.0/9",
	 "10.0.0.0/8", "192.0.0.0/8", "8.0.0.0/5", "128.0.0.0/1", "0.0.0.0/0"},
	{"2001:db8::1", "2001:db8::2/127", "2001:db8::/65", "2001:db8::8000:0:0:0/65", "2001:db8::/64",
	 "2001:db8:0:2::/63", "2001:db8::/48", "2001:db8::/32", "fe80::/10", "2000::/3", "8000::/1", "::/0"},
};

static const char *const addresses[2][9] = {
	{"10.1.2.3", "10.1.2.5", "10.1.2.9", "10.1.9.9", "10.2.2.2", "10.200.0.1", "11.0.0.1", "192.0.2.1",
	 "0.0.0.0"},
	{"2001:db8::1", "2001:db8::3", "2001:db8::7", "2001:db8::8000:0:0:1", "2001:db8:0:3::1",
	 "2001:db8:1::1", "3001::1", "fe80::1", "::"},
};

static const int families[2] = {AF_INET, AF_INET6};
static const uint8_t protocols[2] = {IPPROTO_TCP, IPPROTO_UDP};

/* Bindings 1 to 12 are the prefixes of IPv4 above, 13 to 24 those of IPv6. */
struct bench {
	struct skl_tables *tables;
	struct classes classes;
	struct table table;
};

static inline int set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	b->tables = calloc(1, sizeof(*b->tables));
	assert_non_null(b->tables);
	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < N_PREFIXES; i++) {
			struct listener *l = add_listener(&b->table, "::", 80, 0);

			l->members[0].slot = (uint16_t)(l->id + 1000);
			add_binding(&b->table, l, 0, rule_of(prefixes[f][i], "80"));
		}
	}
	assert_int_equal(classes_init(&b->classes, b->tables, -1), 0);
	*state = b;
	return 0;
}

/* Whatever was done: node 0, where every chain ends, must never have been written. */
static inline int tear_down(void **state)
{
	static const struct skl_node4 none4;
	static const struct skl_node6 none6;
	struct bench *b = *state;

	assert_memory_equal(&b->tables->nodes4[0], &none4, sizeof(none4));
	assert_memory_equal(&b->tables->nodes6[0], &none6, sizeof(none6));
	classes_clear(&b->classes);
	table_clear(&b->table);
	free(b->tables);
	free(b);
	return 0;
}

static inline size_t free_nodes(struct bench *b)
{
	size_t n = 0;

	classes_settle(&b->classes);
	for (size_t i = 1; i < SKL_NODES; i++)
		n += !b->classes.v4.nodes.used[i] + !b->classes.v6.nodes.used[i];
	return n;
}

#define ALL_NODES (2 * (SKL_NODES - 1))

/* Chooses bindings by the bits of `mask`, the lowest bit the longest prefix. Returns how many. */
static inline size_t choose(const struct bench *b, size_t family, unsigned int mask,
			    const struct binding **out)
{
	size_t n = 0;

	for (size_t i = 0; i < N_PREFIXES; i++) {
		if (mask >> i & 1)
			out[n++] = b->table.bindings[family * N_PREFIXES + i];
	}
	return n;
}

static inline int write_mask(struct bench *b, size_t protocol, size_t family, uint16_t first, uint16_t last,
			     unsigned int mask)
{
	const struct binding *order[N_PREFIXES];
	size_t n = choose(b, family, mask, order);

	return classes_write(&b->classes, protocols[protocol], families[family], first, last, order, n);
}

static inline uint32_t match4(const struct skl_tables *t, uint32_t node, uint32_t ip)
{
	uint64_t address = ntohl(ip);

	for (size_t i = 0; i < SKL_INLINE; i++) {
		const struct skl_node4 *n = &t->nodes4[node];

		if ((n->address ^ address) >> (32ull - n->prefixlen) == 0) {
			assert_false(n->flags & SKL_NODE_TRIE);
			return n->slot ? (uint32_t)n->slot << 16 | n->binding : 0;
		}
		node = n->next;
	}
	return 0;
}

static inline bool same_prefix6(const struct skl_node6 *n, uint64_t high, uint64_t low)
{
	uint64_t bits = n->prefixlen;

	if (bits < 64)
		return (n->high ^ high) >> 1 >> (63 - bits) == 0;
	return n->high == high && (bits == 64 || (n->low ^ low) >> (128 - bits) == 0);
}

static inline uint32_t match6(const struct skl_tables *t, uint32_t node, const uint8_t *ip)
{
	uint64_t half[2];

	memcpy(half, ip, sizeof(half));
	for (size_t i = 0; i < SKL_INLINE; i++) {
		const struct skl_node6 *n = &t->nodes6[node];

		if (same_prefix6(n, be64toh(half[0]), be64toh(half[1]))) {
			assert_false(n->flags & SKL_NODE_TRIE);
			return n->slot ? (uint32_t)n->slot << 16 | n->binding : 0;
		}
		node = n->next;
	}
	return 0;
}

/* What the packet path finds: slot and binding, or 0. */
static inline uint32_t look_up(const struct skl_tables *t, size_t protocol, size_t family, uint16_t port,
			       const struct prefix *address)
{
	uint32_t word = t->words[protocol][port], ip;

	if (family == 1)
		return match6(t, SKL_WORD_NODE6(word), address->address);
	memcpy(&ip, address->address, sizeof(ip));
	return match4(t, SKL_WORD_NODE4(word), ip);
}

/* What it should: the first of those chosen that holds the address. */
static inline uint32_t expected(const struct bench *b, size_t family, unsigned int mask,
				const struct prefix *address)
{
	const struct binding *order[N_PREFIXES];
	size_t n = choose(b, family, mask, order);

	for (size_t i = 0; i < n; i++) {
		if (prefix_covers(&order[i]->rule.prefix, address))
			return (uint32_t)order[i]->listener->members[0].slot << 16 | order[i]->index;
	}
	return 0;
}

static inline void port_answers(const struct bench *b, size_t protocol, size_t family, uint16_t port,
				unsigned int mask)
{
	for (size_t i = 0; i < COUNT(addresses[0]); i++) {
		struct prefix address = prefix_of(addresses[family][i]);

		if (look_up(b->tables, protocol, family, port, &address) !=
		    expected(b, family, mask, &address))
			fail_msg("%s port %u with 0x%x", addresses[family][i], port, mask);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

#endif
