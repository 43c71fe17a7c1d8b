// SPDX-License-Identifier: BSD-2-Clause
/* Each port gets its answer, and ports with equal answers share it. */
#include "tests/unit/tables.h"

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

/* More than a thousand different answers, many of which meet in a bucket, while others of those go. */
static void equal_answers_are_found_among_many(void **state)
{
	struct bench *b = *state;
	size_t left;

	for (unsigned int mask = 1; mask < 1u << N_PREFIXES; mask++) {
		if (__builtin_popcount(mask) <= 5)
			assert_int_equal(write_mask(b, 0, 0, (uint16_t)mask, (uint16_t)mask, mask), 0);
	}
	for (unsigned int mask = 1; mask < 1u << N_PREFIXES; mask += 2)
		assert_int_equal(write_mask(b, 0, 0, (uint16_t)mask, (uint16_t)mask, 0), 0);
	left = free_nodes(b);
	for (unsigned int mask = 2; mask < 1u << N_PREFIXES; mask += 2) {
		if (__builtin_popcount(mask) <= 5)
			assert_int_equal(write_mask(b, 1, 0, (uint16_t)mask, (uint16_t)mask, mask), 0);
		assert_int_equal(b->tables->words[SKL_UDP][mask], b->tables->words[SKL_TCP][mask]);
	}
	assert_int_equal(free_nodes(b), left);
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(nobody_to_start_with),
		TEST(ports_get_their_answers),
		TEST(equal_answers_share_a_class),
		TEST(families_do_not_touch_each_other),
		TEST(a_class_lives_as_long_as_a_port_leads_to_it),
		TEST(equal_answers_are_found_among_many),
		TEST(the_longest_chain),
		TEST(longer_without_a_trie_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
