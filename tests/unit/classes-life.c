// SPDX-License-Identifier: BSD-2-Clause
/* Nodes come and go: none is lost, none is used too early, and a new helper finds them as they are. */
#include "tests/unit/tables.h"

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

/* Every port another chain of four until there is no node left. Bindings need no more than a number here. */
static void exhaustion(void **state)
{
	struct bench *b = *state;
	const struct binding *order[4];
	struct binding *last = b->table.bindings[11]; /* else they would share it */
	uint16_t port;
	int err = 0;

	choose(b, 0, 0xf00, order);
	for (port = 1; port < 10000 && !err; port++) {
		last->index = (uint16_t)(1000 + port);
		err = classes_write(&b->classes, IPPROTO_TCP, AF_INET, port, port, order, 4);
	}
	port--;
	assert_int_equal(err, -ENOSPC);
	assert_int_equal(port - 1, (SKL_NODES - 1) / 4);
	assert_int_equal(b->classes.v4.nodes.count, (SKL_NODES - 1) % 4); /* none lost in the attempt */
	assert_int_equal(b->tables->words[SKL_TCP][port], 0);
	for (uint16_t i = 1; i < port; i++) {
		struct prefix address = prefix_of("64.0.0.1");
		uint32_t got = look_up(b->tables, 0, 0, i, &address);

		assert_int_equal(got & 0xffff, 1000 + i);
	}
	/* an answer that is there already costs nothing, the other family has its own nodes, and room helps
	 */
	assert_int_equal(write_mask(b, 0, 1, port, port, 0xff), 0);
	last->index = 1001;
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, port, port, order, 4), 0);
	last->index = 999;
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 2, 2, order, 4), -ENOSPC);
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 3, 3, NULL, 0), 0);
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 2, 2, order, 4), 0);
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 0, 65535, NULL, 0), 0);
	assert_int_equal(b->classes.v4.nodes.count, SKL_NODES - 1);
}

/* Answers that end alike have the end in common, whoever goes first. */
static void ends_are_shared(void **state)
{
	struct bench *b = *state;
	struct binding *first = b->table.bindings[0];
	const struct binding *order[5];

	choose(b, 0, 0xf01, order);
	for (uint16_t port = 1; port <= 10000; port++) {
		first->index = (uint16_t)(1000 + port);
		assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, port, port, order, 5), 0);
	}
	assert_int_equal(b->classes.v4.nodes.count, SKL_NODES - 1 - 10004);
	assert_int_equal(write_mask(b, 0, 0, 20000, 29999, 0xf00), 0);
	assert_int_equal(write_mask(b, 0, 0, 40000, 40000, 0xc00), 0);
	assert_int_equal(b->classes.v4.nodes.count, SKL_NODES - 1 - 10004);
	for (uint16_t port = 1; port <= 10000; port += 7) {
		struct prefix alone = prefix_of("10.1.2.3"), common = prefix_of("64.0.0.1");

		assert_int_equal(look_up(b->tables, 0, 0, port, &alone) & 0xffff, 1000 + port);
		assert_int_equal(look_up(b->tables, 0, 0, port, &common) & 0xffff,
				 b->table.bindings[11]->index);
	}
	classes_clear(&b->classes); /* a new helper counts the same */
	assert_int_equal(classes_init(&b->classes, b->tables, -1), 0);
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 1, 10000, NULL, 0), 0);
	assert_int_equal(b->classes.v4.nodes.count, SKL_NODES - 1 - 4);
	port_answers(b, 0, 0, 25000, 0xf00);
	assert_int_equal(write_mask(b, 0, 0, 20000, 29999, 0), 0);
	assert_int_equal(b->classes.v4.nodes.count, SKL_NODES - 1 - 2);
	port_answers(b, 0, 0, 40000, 0xc00);
	assert_int_equal(write_mask(b, 0, 0, 40000, 40000, 0), 0);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nodes_come_back), TEST(exhaustion),
		TEST(ends_are_shared), TEST(what_was_left_is_not_overwritten_at_once),
		TEST(adoption),	       TEST(adoption_of_a_class_in_the_trie),
		TEST(random_writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
