// SPDX-License-Identifier: BSD-2-Clause
/*
 * Words and chains of nodes, written into plain memory and read as the BPF
 * program reads them (bpf/dispatch.bpf.c). The trie is the kernel's, so here
 * it is only seen to be missing.
 */
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

static int set_up(void **state)
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
static int tear_down(void **state)
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

static size_t free_nodes(const struct bench *b)
{
	size_t n = 0;

	for (size_t i = 1; i < SKL_NODES; i++)
		n += !b->classes.v4.nodes.used[i] + !b->classes.v6.nodes.used[i];
	return n;
}

#define ALL_NODES (2 * (SKL_NODES - 1))

/* Chooses bindings by the bits of `mask`, the lowest bit the longest prefix. Returns how many. */
static size_t choose(const struct bench *b, size_t family, unsigned int mask, const struct binding **out)
{
	size_t n = 0;

	for (size_t i = 0; i < N_PREFIXES; i++) {
		if (mask >> i & 1)
			out[n++] = b->table.bindings[family * N_PREFIXES + i];
	}
	return n;
}

static int write_mask(struct bench *b, size_t protocol, size_t family, uint16_t first, uint16_t last,
		      unsigned int mask)
{
	const struct binding *order[N_PREFIXES];
	size_t n = choose(b, family, mask, order);

	return classes_write(&b->classes, protocols[protocol], families[family], first, last, order, n);
}

static uint32_t match4(const struct skl_tables *t, uint32_t node, uint32_t ip)
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

static bool same_prefix6(const struct skl_node6 *n, uint64_t high, uint64_t low)
{
	uint64_t bits = n->prefixlen;

	if (bits < 64)
		return (n->high ^ high) >> 1 >> (63 - bits) == 0;
	return n->high == high && (bits == 64 || (n->low ^ low) >> (128 - bits) == 0);
}

static uint32_t match6(const struct skl_tables *t, uint32_t node, const uint8_t *ip)
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
static uint32_t look_up(const struct skl_tables *t, size_t protocol, size_t family, uint16_t port,
			const struct prefix *address)
{
	uint32_t word = t->words[protocol][port], ip;

	if (family == 1)
		return match6(t, SKL_WORD_NODE6(word), address->address);
	memcpy(&ip, address->address, sizeof(ip));
	return match4(t, SKL_WORD_NODE4(word), ip);
}

/* What it should: the first of those chosen that holds the address. */
static uint32_t expected(const struct bench *b, size_t family, unsigned int mask,
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

static void port_answers(const struct bench *b, size_t protocol, size_t family, uint16_t port,
			 unsigned int mask)
{
	for (size_t i = 0; i < COUNT(addresses[0]); i++) {
		struct prefix address = prefix_of(addresses[family][i]);

		if (look_up(b->tables, protocol, family, port, &address) !=
		    expected(b, family, mask, &address))
			fail_msg("%s port %u with 0x%x", addresses[family][i], port, mask);
	}
}

static void nobody_to_start_with(void **state)
{
	struct bench *b = *state;

	port_answers(b, 0, 0, 80, 0);
	port_answers(b, 1, 1, 65535, 0);
	assert_int_equal(free_nodes(b), ALL_NODES);
}

static void ports_get_their_answers(void **state)
{
	static const struct {
		size_t protocol, family;
		uint16_t first, last;
		unsigned int mask;
	} writes[] = {
		{0, 0, 80, 80, 0x800},	     {0, 0, 90, 99, 0x0c5},	{0, 0, 0, 0, 0x001},
		{0, 0, 65535, 65535, 0x002}, {0, 1, 80, 80, 0x0ff},	{0, 1, 95, 105, 0x800},
		{1, 0, 80, 80, 0x010},	     {1, 1, 65000, 65535, 0x3}, {1, 0, 53, 53, 0xff0},
	};
	struct bench *b = *state;

	for (size_t i = 0; i < COUNT(writes); i++)
		assert_int_equal(write_mask(b, writes[i].protocol, writes[i].family, writes[i].first,
					    writes[i].last, writes[i].mask),
				 0);
	for (size_t protocol = 0; protocol < 2; protocol++) {
		for (size_t family = 0; family < 2; family++) {
			static unsigned int want[SKL_PORTS];

			memset(want, 0, sizeof(want));
			for (size_t i = 0; i < COUNT(writes); i++) {
				for (uint32_t p = writes[i].first; p <= writes[i].last; p++) {
					if (writes[i].protocol == protocol && writes[i].family == family)
						want[p] = writes[i].mask;
				}
			}
			for (uint32_t p = 0; p < SKL_PORTS; p += p >= 200 && p < 64900 ? 100 : 1)
				port_answers(b, protocol, family, (uint16_t)p, want[p]);
		}
	}
}

static void equal_answers_share_a_class(void **state)
{
	struct bench *b = *state;
	uint32_t word;

	assert_int_equal(write_mask(b, 0, 0, 80, 80, 0x7), 0);
	assert_int_equal(free_nodes(b), ALL_NODES - 3);
	word = b->tables->words[SKL_TCP][80];
	assert_int_equal(write_mask(b, 0, 0, 8000, 8999, 0x7), 0);
	assert_int_equal(write_mask(b, 1, 0, 53, 53, 0x7), 0);
	assert_int_equal(free_nodes(b), ALL_NODES - 3);
	assert_int_equal(b->tables->words[SKL_TCP][8500], word);
	assert_int_equal(b->tables->words[SKL_UDP][53], word);

	/* a part of it, or more of it, is another answer */
	assert_int_equal(write_mask(b, 0, 0, 81, 81, 0x3), 0);
	assert_int_equal(write_mask(b, 0, 0, 82, 82, 0xf), 0);
	assert_int_equal(free_nodes(b), ALL_NODES - 9);
	assert_int_not_equal(b->tables->words[SKL_TCP][81], word);
	assert_int_not_equal(b->tables->words[SKL_TCP][82], word);

	/* the same again changes nothing */
	assert_int_equal(write_mask(b, 0, 0, 80, 80, 0x7), 0);
	assert_int_equal(b->tables->words[SKL_TCP][80], word);
}

static void families_do_not_touch_each_other(void **state)
{
	struct bench *b = *state;

	assert_int_equal(write_mask(b, 0, 0, 80, 80, 0x7), 0);
	assert_int_equal(write_mask(b, 0, 1, 80, 80, 0x70), 0);
	port_answers(b, 0, 0, 80, 0x7);
	port_answers(b, 0, 1, 80, 0x70);
	assert_int_equal(write_mask(b, 0, 0, 80, 80, 0), 0);
	port_answers(b, 0, 0, 80, 0);
	port_answers(b, 0, 1, 80, 0x70);
	assert_int_equal(write_mask(b, 0, 1, 80, 80, 0), 0);
	assert_int_equal(b->tables->words[SKL_TCP][80], 0);
	assert_int_equal(free_nodes(b), ALL_NODES);
}

static void a_class_lives_as_long_as_a_port_leads_to_it(void **state)
{
	struct bench *b = *state;

	assert_int_equal(write_mask(b, 0, 0, 1, 65535, 0x800), 0);
	assert_int_equal(write_mask(b, 0, 0, 100, 200, 0x7), 0); /* out of the middle */
	assert_int_equal(write_mask(b, 0, 0, 1, 99, 0), 0);
	assert_int_equal(free_nodes(b), ALL_NODES - 4);
	assert_int_equal(write_mask(b, 0, 0, 201, 65534, 0), 0);
	port_answers(b, 0, 0, 65535, 0x800);
	assert_int_equal(free_nodes(b), ALL_NODES - 4);
	assert_int_equal(write_mask(b, 0, 0, 65535, 65535, 0), 0);
	assert_int_equal(free_nodes(b), ALL_NODES - 3);
	/* the same class in many places, between others, replaced by one write */
	for (uint16_t port = 100; port < 200; port += 2)
		assert_int_equal(write_mask(b, 0, 0, port, port, port % 3 ? 0x100 : 0x200), 0);
	assert_int_equal(free_nodes(b), ALL_NODES - 5);
	assert_int_equal(write_mask(b, 0, 0, 0, 65535, 0x100), 0);
	assert_int_equal(free_nodes(b), ALL_NODES - 1);
	assert_int_equal(write_mask(b, 0, 0, 0, 65535, 0), 0);
	assert_int_equal(free_nodes(b), ALL_NODES);
}

/* Far more writes than there are nodes. */
static void nodes_come_back(void **state)
{
	struct bench *b = *state;

	for (unsigned int i = 0; i < 20000; i++) {
		assert_int_equal(write_mask(b, 0, i % 2, 80, 89, 0x0f << i % 8), 0);
		assert_int_equal(write_mask(b, 0, i % 2, 85, 95, 0x81), 0);
		assert_int_equal(write_mask(b, 0, i % 2, 80, 95, 0), 0);
		assert_int_equal(free_nodes(b), ALL_NODES);
	}
}

/* Every port another chain of three until there is no node left. Bindings need no more than a number here. */
static void exhaustion(void **state)
{
	struct bench *b = *state;
	const struct binding *order[3];
	struct binding *first = b->table.bindings[9];
	uint16_t port;
	int err = 0;

	choose(b, 0, 0xe00, order);
	for (port = 1; port < 10000 && !err; port++) {
		first->index = (uint16_t)(1000 + port);
		err = classes_write(&b->classes, IPPROTO_TCP, AF_INET, port, port, order, 3);
	}
	port--;
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(port - 1, (SKL_NODES - 1) / 3);
	assert_int_equal(b->classes.v4.nodes.count, (SKL_NODES - 1) % 3); /* none lost in the attempt */
	assert_int_equal(b->tables->words[SKL_TCP][port], 0);
	for (uint16_t i = 1; i < port; i++) {
		struct prefix address = prefix_of("10.0.0.0");
		uint32_t got = look_up(b->tables, 0, 0, i, &address);

		assert_int_equal(got & 0xffff, 1000 + i);
	}
	/* an answer that is there already costs nothing, the other family has its own nodes, and room helps
	 */
	assert_int_equal(write_mask(b, 0, 1, port, port, 0xff), 0);
	first->index = 1001;
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, port, port, order, 3), 0);
	first->index = 999;
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 2, 2, order, 3), -ENOSPC);
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 3, 3, NULL, 0), 0);
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 2, 2, order, 3), 0);
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 0, 65535, NULL, 0), 0);
	assert_int_equal(b->classes.v4.nodes.count, SKL_NODES - 1);
}

/* What a packet may be reading at this moment stays as it is, although no port leads to it any more. */
static void what_was_left_is_not_overwritten_at_once(void **state)
{
	struct bench *b = *state;
	struct skl_node4 before[16];

	assert_int_equal(write_mask(b, 0, 0, 80, 80, 0xff), 0);
	memcpy(before, b->tables->nodes4, sizeof(before));
	for (unsigned int i = 0; i < 1000; i++)
		assert_int_equal(write_mask(b, 0, 0, 80, 80, i % 2 ? 0xf00 : 0x700), 0);
	for (size_t i = 1; i <= 8; i++)
		assert_memory_equal(&b->tables->nodes4[i], &before[i], sizeof(before[i]));
}

static void the_longest_chain(void **state)
{
	struct bench *b = *state;

	for (size_t family = 0; family < 2; family++) {
		assert_int_equal(write_mask(b, 0, family, 80, 80, 0xff0), 0);
		port_answers(b, 0, family, 80, 0xff0);
		assert_int_equal(write_mask(b, 0, family, 81, 81, 0x0ff), 0);
		port_answers(b, 0, family, 81, 0x0ff);
	}
	assert_int_equal(free_nodes(b), ALL_NODES - 32);
}

static void longer_without_a_trie_is_an_error(void **state)
{
	struct bench *b = *state;

	for (size_t family = 0; family < 2; family++) {
		assert_int_equal(write_mask(b, 0, family, 80, 80, 0x801), 0);
		assert_true(write_mask(b, 0, family, 80, 81, 0x1ff) < 0);
		assert_true(write_mask(b, 0, family, 80, 81, 0xfff) < 0);
		port_answers(b, 0, family, 80, 0x801);
		port_answers(b, 0, family, 81, 0);
		assert_int_equal(write_mask(b, 0, family, 80, 80, 0), 0);
		assert_int_equal(free_nodes(b), ALL_NODES);
	}
}

/* A new helper over the same tables knows what there is, by looking. */
static void adoption(void **state)
{
	struct bench *b = *state;
	uint32_t word;

	assert_int_equal(write_mask(b, 0, 0, 80, 89, 0x7), 0);
	assert_int_equal(write_mask(b, 0, 0, 90, 99, 0xff), 0);
	assert_int_equal(write_mask(b, 1, 0, 53, 53, 0x7), 0);
	assert_int_equal(write_mask(b, 0, 1, 0, 65535, 0x70), 0);
	word = b->tables->words[SKL_TCP][80];
	assert_int_equal(free_nodes(b), ALL_NODES - 14);
	for (size_t i = 0; i < 3; i++) {
		classes_clear(&b->classes);
		assert_int_equal(classes_init(&b->classes, b->tables, -1), 0);
		assert_int_equal(free_nodes(b), ALL_NODES - 14);
		port_answers(b, 0, 0, 85, 0x7);
		port_answers(b, 0, 0, 95, 0xff);
		port_answers(b, 1, 0, 53, 0x7);
		port_answers(b, 0, 1, 65535, 0x70);
		/* an equal answer joins the class that is there, and what is written anew takes no node of it
		 */
		assert_int_equal(write_mask(b, 0, 0, 100, 100, 0x7), 0);
		assert_int_equal(SKL_WORD_NODE4(b->tables->words[SKL_TCP][100]), SKL_WORD_NODE4(word));
		assert_int_equal(write_mask(b, 0, 0, 101, 101, 0x3f), 0);
		port_answers(b, 0, 0, 85, 0x7);
		port_answers(b, 0, 0, 95, 0xff);
		assert_int_equal(write_mask(b, 0, 0, 100, 101, 0), 0);
	}
	assert_int_equal(write_mask(b, 0, 0, 0, 65535, 0), 0);
	assert_int_equal(write_mask(b, 1, 0, 0, 65535, 0), 0);
	assert_int_equal(write_mask(b, 0, 1, 0, 65535, 0), 0);
	assert_int_equal(free_nodes(b), ALL_NODES);
}

/* A class of the trie is one node, whatever the trie has; here it has nothing. */
static void adoption_of_a_class_in_the_trie(void **state)
{
	struct bench *b = *state;

	b->tables->nodes4[5] = (struct skl_node4){.flags = SKL_NODE_TRIE};
	b->tables->nodes6[6] = (struct skl_node6){.flags = SKL_NODE_TRIE};
	b->tables->words[SKL_TCP][80] = b->tables->words[SKL_TCP][81] = SKL_WORD(5, 6);
	classes_clear(&b->classes);
	assert_int_equal(classes_init(&b->classes, b->tables, -1), 0);
	assert_int_equal(free_nodes(b), ALL_NODES - 2);
	for (size_t family = 0; family < 2; family++) {
		assert_int_equal(write_mask(b, 0, family, 80, 80, 0x800), 0);
		port_answers(b, 0, family, 80, 0x800);
		assert_int_equal(free_nodes(b), ALL_NODES - 3);
		assert_int_equal(write_mask(b, 0, family, 81, 81, 0x800), 0);
		assert_int_equal(free_nodes(b), ALL_NODES - 2);
	}
}

#define MODEL_PORTS 40

/* Nodes that the words lead to, each class counted once. */
static size_t count_reachable(const struct skl_tables *t)
{
	static bool seen[2][SKL_NODES];
	size_t n = 0;

	memset(seen, 0, sizeof(seen));
	for (size_t i = 0; i < (size_t)2 * 2 * MODEL_PORTS; i++) {
		uint32_t word = t->words[i / 2 % 2][i / 4];
		uint32_t node = i % 2 ? SKL_WORD_NODE6(word) : SKL_WORD_NODE4(word);

		for (; node && !seen[i % 2][node]; n++) {
			seen[i % 2][node] = true;
			node = i % 2 ? t->nodes6[node].next : t->nodes4[node].next;
		}
	}
	return n;
}

/* Any writes in any order, with a new helper now and then, against an array of what was written last. */
static void random_writes(void **state)
{
	static const unsigned int masks[] = {0, 0, 0x1, 0x3, 0x800, 0xff, 0xff0, 0x7, 0x70, 0x700, 0x421};
	struct bench *b = *state;
	unsigned int model[2][2][MODEL_PORTS] = {0};

	srandom(7);
	for (size_t i = 0; i < 6000; i++) {
		size_t protocol = (size_t)random() % 2, family = (size_t)random() % 2;
		uint16_t first = (uint16_t)(random() % MODEL_PORTS);
		uint16_t last = (uint16_t)(first + random() % (MODEL_PORTS - first));
		unsigned int mask = masks[(size_t)random() % COUNT(masks)];
		size_t port;

		if (i % 1000 == 999) {
			classes_clear(&b->classes);
			assert_int_equal(classes_init(&b->classes, b->tables, -1), 0);
		}
		assert_int_equal(write_mask(b, protocol, family, first, last, mask), 0);
		for (port = first; port <= last; port++)
			model[protocol][family][port] = mask;
		for (port = 0; port < MODEL_PORTS; port++)
			port_answers(b, protocol, family, (uint16_t)port, model[protocol][family][port]);
		assert_int_equal(free_nodes(b), ALL_NODES - count_reachable(b->tables));
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nobody_to_start_with),
		TEST(ports_get_their_answers),
		TEST(equal_answers_share_a_class),
		TEST(families_do_not_touch_each_other),
		TEST(a_class_lives_as_long_as_a_port_leads_to_it),
		TEST(nodes_come_back),
		TEST(exhaustion),
		TEST(what_was_left_is_not_overwritten_at_once),
		TEST(the_longest_chain),
		TEST(longer_without_a_trie_is_an_error),
		TEST(adoption),
		TEST(adoption_of_a_class_in_the_trie),
		TEST(random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
