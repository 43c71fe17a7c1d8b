// SPDX-License-Identifier: BSD-2-Clause
/* Classes with many prefixes in a trie of the kernel's: what is in it, and what a packet finds while it
 * changes. */
#include "tests/unit/objects.h"

#include <bpf/bpf.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "helper/datapath/classes.h"
#include "helper/datapath/nodes.h"

#define ENTRIES 64
#define FILLERS 12 /* more than a chain is long */

/* Bindings 0 to 11 are in every class. */
enum { LONG = FILLERS, MIDDLE, SHORT, OTHER, FIRST_MORE, N_BINDINGS = FIRST_MORE + 60 };

struct bench {
	struct skl_tables *tables;
	struct classes classes;
	struct table table;
	int trie;
};

static int set_up(void **state)
{
	static const char *const prefixes[] = {"10.1.1.0/24", "10.1.0.0/16", "10.0.0.0/8", "10.1.1.0/24"};
	struct bench *b = calloc(1, sizeof(*b));
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_NO_PREALLOC);

	assert_non_null(b);
	b->tables = calloc(1, sizeof(*b->tables));
	assert_non_null(b->tables);
	b->trie = bpf_map_create(BPF_MAP_TYPE_LPM_TRIE, "trie", sizeof(struct skl_trie_key),
				 sizeof(struct skl_trie_value), ENTRIES, &options);
	assert_true(b->trie >= 0);
	for (unsigned int i = 0; i < N_BINDINGS; i++) {
		struct listener *l = add_listener(&b->table, "::", 80, 0);
		char text[32];

		snprintf(text, sizeof(text), "20.%u.0.0/16", i);
		add_binding(&b->table, l, 0,
			    rule_of(i >= LONG && i <= OTHER ? prefixes[i - LONG] : text, "80"));
	}
	assert_int_equal(classes_init(&b->classes, b->tables, b->trie), 0);
	*state = b;
	return 0;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	classes_clear(&b->classes);
	table_clear(&b->table);
	close(b->trie);
	free(b->tables);
	free(b);
	return 0;
}

/* As table_rows() puts them. */
static int by_prefix(const void *a, const void *b)
{
	const struct prefix *x = &(*(const struct binding *const *)a)->rule.prefix;
	const struct prefix *y = &(*(const struct binding *const *)b)->rule.prefix;

	return x->length != y->length ? y->length - x->length : memcmp(x->address, y->address, 16);
}

/* Ports first..last get the fillers, what the mask names from LONG on, and so many more. */
static int write_ports(struct bench *b, uint16_t first, uint16_t last, unsigned int mask, size_t more)
{
	const struct binding *order[N_BINDINGS];
	size_t n = 0;

	for (size_t i = 0; i < FILLERS; i++)
		order[n++] = b->table.bindings[i];
	for (size_t i = LONG; i <= OTHER; i++) {
		if (mask >> (i - LONG) & 1)
			order[n++] = b->table.bindings[i];
	}
	for (size_t i = 0; i < more; i++)
		order[n++] = b->table.bindings[FIRST_MORE + i];
	qsort(order, n, sizeof(order[0]), by_prefix);
	return classes_write(&b->classes, IPPROTO_TCP, AF_INET, first, last, order, n);
}

/* Which binding gets a packet to this address: its place in the table, or -1. */
static int look_up(const struct bench *b, uint16_t port, const char *address)
{
	uint16_t node = SKL_WORD_NODE4(b->tables->words[SKL_TCP][port]);
	struct skl_trie_key key = {.prefixlen = 64, .class = node};
	struct skl_trie_value value;

	assert_true(node_is_trie(b->tables, AF_INET, node));
	inet_pton(AF_INET, address, key.address);
	if (bpf_map_lookup_elem(b->trie, &key, &value) < 0)
		return -1;
	assert_int_equal(value.slot, b->table.bindings[value.binding - 1]->listener->members[0].slot);
	return value.binding - 1;
}

static size_t count_keys(const struct bench *b)
{
	struct skl_trie_key key, next, *previous = NULL;
	size_t n = 0;

	while (bpf_map_get_next_key(b->trie, previous, &next) == 0) {
		key = next;
		previous = &key;
		n++;
	}
	return n;
}

static uint16_t class_of(const struct bench *b, uint16_t port)
{
	return SKL_WORD_NODE4(b->tables->words[SKL_TCP][port]);
}

static void one_class_changes_in_place(void **state)
{
	struct bench *b = *state;
	uint16_t class;

	assert_int_equal(write_ports(b, 80, 89, 1 << (SHORT - LONG), 0), 0);
	class = class_of(b, 80);
	assert_int_equal(look_up(b, 85, "10.1.1.1"), SHORT);
	assert_int_equal(count_keys(b), FILLERS + 1);
	/* one more, another in its place, fewer */
	assert_int_equal(write_ports(b, 80, 89, 0x5, 3), 0);
	assert_int_equal(look_up(b, 85, "10.1.1.1"), LONG);
	assert_int_equal(look_up(b, 85, "10.1.2.1"), SHORT);
	assert_int_equal(look_up(b, 85, "20.18.0.1"), FIRST_MORE + 2);
	assert_int_equal(write_ports(b, 80, 89, 0xc, 1), 0);
	assert_int_equal(look_up(b, 85, "10.1.1.1"), OTHER);
	assert_int_equal(look_up(b, 85, "20.18.0.1"), -1);
	assert_int_equal(count_keys(b), FILLERS + 3);
	assert_int_equal(class_of(b, 89), class);
	assert_int_equal(b->classes.v4.nodes.count, SKL_NODES - 2);
}

/* A part of its ports: these have a class of their own from then on, and the others keep what they had. */
static void a_shared_class_stays(void **state)
{
	struct bench *b = *state;

	assert_int_equal(write_ports(b, 80, 89, 0x4, 0), 0);
	assert_int_equal(write_ports(b, 85, 85, 0x6, 0), 0);
	assert_int_equal(look_up(b, 84, "10.1.1.1"), SHORT);
	assert_int_equal(look_up(b, 85, "10.1.1.1"), MIDDLE);
	assert_int_equal(count_keys(b), FILLERS + 1 + FILLERS + 2);
	/* the other way: it becomes what there is, and that is then one class again */
	assert_int_equal(write_ports(b, 85, 85, 0x4, 0), 0);
	classes_settle(&b->classes);
	assert_int_equal(class_of(b, 85), class_of(b, 84));
	assert_int_equal(count_keys(b), FILLERS + 1);
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 0, 65535, NULL, 0), 0);
	classes_settle(&b->classes);
	assert_int_equal(count_keys(b), 0);
	assert_int_equal(b->classes.v4.nodes.count, SKL_NODES - 1);
}

static void without_room_it_is_as_before(void **state)
{
	struct bench *b = *state;

	assert_int_equal(write_ports(b, 80, 80, 0x5, 20), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(write_ports(b, 80, 80, 0xe, 60), -ENOSPC); /* and one has another target */
		assert_int_equal(count_keys(b), FILLERS + 2 + 20);
		assert_int_equal(look_up(b, 80, "10.1.1.1"), LONG);
		assert_int_equal(look_up(b, 80, "10.1.2.1"), SHORT);
		assert_int_equal(look_up(b, 80, "20.35.0.1"), FIRST_MORE + 19);
		assert_int_equal(look_up(b, 80, "20.36.0.1"), -1);
	}
	/* a new class that does not fit leaves nothing */
	assert_int_equal(write_ports(b, 81, 81, 0x1, 30), -ENOSPC);
	classes_settle(&b->classes);
	assert_int_equal(count_keys(b), FILLERS + 2 + 20);
	assert_int_equal(write_ports(b, 80, 80, 0xe, 30), 0);
	assert_int_equal(look_up(b, 80, "10.1.1.1"), OTHER);
	assert_int_equal(look_up(b, 80, "10.1.2.1"), MIDDLE);
}

/* A new helper does not know what the trie has of a class, and finds it when the class goes. */
static void adopted_classes_leave_nothing(void **state)
{
	struct bench *b = *state;

	assert_int_equal(write_ports(b, 80, 80, 0x4, 0), 0);
	assert_int_equal(write_ports(b, 90, 95, 0x6, 0), 0);
	classes_clear(&b->classes);
	assert_int_equal(classes_init(&b->classes, b->tables, b->trie), 0);
	assert_int_equal(look_up(b, 80, "10.1.1.1"), SHORT);
	assert_int_equal(write_ports(b, 80, 80, 0x5, 0), 0);
	classes_settle(&b->classes);
	assert_int_equal(look_up(b, 80, "10.1.1.1"), LONG);
	assert_int_equal(look_up(b, 92, "10.1.1.1"), MIDDLE);
	assert_int_equal(count_keys(b), FILLERS + 2 + FILLERS + 2);
	assert_int_equal(classes_write(&b->classes, IPPROTO_TCP, AF_INET, 0, 65535, NULL, 0), 0);
	classes_settle(&b->classes);
	assert_int_equal(count_keys(b), 0);
}

struct reader {
	const struct bench *bench;
	_Atomic bool stop;
	long seen[N_BINDINGS], nothing;
};

static void *read_on(void *argument)
{
	struct reader *r = argument;

	while (!r->stop) {
		int found = look_up(r->bench, 80, "10.1.1.1");

		if (found < 0)
			r->nothing++;
		else
			r->seen[found]++;
	}
	return NULL;
}

/* From the /24 to the /16 and back: the /8 that lies under both is nobody's answer at any moment. */
static void never_a_mixture(void **state)
{
	struct bench *b = *state;
	struct reader reader = {.bench = b};
	pthread_t thread;

	assert_int_equal(write_ports(b, 80, 80, 0x5, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_on, &reader), 0);
	for (size_t i = 0; i < 20000 || !reader.seen[LONG] || !reader.seen[MIDDLE]; i++)
		assert_int_equal(write_ports(b, 80, 80, i % 2 ? 0x5 : 0x6, i % 3), 0);
	reader.stop = true;
	pthread_join(thread, NULL);
	assert_int_equal(reader.nothing, 0);
	for (size_t i = 0; i < N_BINDINGS; i++) {
		if (i != LONG && i != MIDDLE)
			assert_int_equal(reader.seen[i], 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(one_class_changes_in_place),
		TEST(a_shared_class_stays),
		TEST(without_room_it_is_as_before),
		TEST(adopted_classes_leave_nothing),
		TEST(never_a_mixture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
