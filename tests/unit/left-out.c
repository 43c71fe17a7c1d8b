// SPDX-License-Identifier: BSD-2-Clause
/* What a range or "*" does not get, as people are told: " less 22,53". */
#include "tests/unit/scene.h"

static void ports_left_out(void **state)
{
	static const struct {
		const char *name, *given, *held; /* as make_scene() reads them */
		unsigned int of;		 /* this binding */
		size_t count;
		const char *text;
	} cases[] = {
		{"nothing", "xa 0.0.0.0/0 *", "", 1, 0, ""},
		{"a single port never", "xa 0.0.0.0/0 80", "0.0.0.0/0 80", 1, 0, ""},
		{"held ports", "xa 0.0.0.0/0 *", "0.0.0.0/0 22, 10.0.0.1 53", 1, 2, "22,53"},
		{"neighbours are one run", "xa 0.0.0.0/0 *",
		 "0.0.0.0/0 23, 0.0.0.0/0 22, 0.0.0.0/0 24, 0.0.0.0/0 65535", 1, 4, "22-24,65535"},
		{"outside it nothing is held", "xa 0.0.0.0/0 80-89",
		 "0.0.0.0/0 79, 0.0.0.0/0 80, 0.0.0.0/0 89, 0.0.0.0/0 90", 1, 2, "80,89"},
		{"its own port is no news", "xa 0.0.0.0/0 *", "0.0.0.0/0 9000", 1, 0, ""},
		{"nor between others", "xa 0.0.0.0/0 *", "0.0.0.0/0 8999, 0.0.0.0/0 9000, 0.0.0.0/0 9001", 1,
		 2, "8999,9001"},
		{"nor inside what another listener has", "xa 0.0.0.0/0 8000-9999, xb 0.0.0.0/0 8995-9004", "",
		 1, 9, "8995-8999,9001-9004"},
		{"nor at the edge of it", "xa 0.0.0.0/0 8000-9999, xb 0.0.0.0/0 9000-9004", "", 1, 4,
		 "9001-9004"},
		{"what another listener wins with the same prefix", "xa 0.0.0.0/0 *, xb 0.0.0.0/0 80-89", "",
		 1, 10, "80-89"},
		{"not what a longer prefix wins: the rest of it is still got",
		 "xa 0.0.0.0/0 *, xb 10.0.0.0/8 80-89", "", 1, 0, ""},
		{"not what the same listener wins", "xa 0.0.0.0/0 *, xa 0.0.0.0/0 80-89", "", 1, 0, ""},
		{"what another user had", "xa 0.0.0.0/0 85, yb 10.0.0.0/8 80-89", "", 2, 1, "85"},
		{"all of it", "xa 0.0.0.0/0 *, yb 10.0.0.0/8 80-89", "", 2, 10, "80-89"},
		{"not what a younger one of another user gives up itself",
		 "xa 10.0.0.0/8 *, yb 10.0.0.0/8 80-89", "", 1, 0, ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table t = {0};
		char text[64];
		size_t n;

		make_scene(&t, cases[i].given, cases[i].held);
		n = binding_left_out_text(&t, t.bindings[cases[i].of - 1], text, sizeof(text));
		if (n != cases[i].count || strcmp(text, cases[i].text) != 0)
			fail_msg("%s: %zu \"%s\"", cases[i].name, n, text);
		table_clear(&t);
	}
}

/* Cut between two ports, never within one; what is not shown is still counted. */
static void cut_where_there_is_no_room(void **state)
{
	static const struct {
		const char *name, *held;
		size_t size, count;
		const char *text;
	} cases[] = {
		{"fits exactly, with room for the dots", "0.0.0.0/0 22, 0.0.0.0/0 53", 10, 2, "22,53"},
		{"cut, but counted", "0.0.0.0/0 22, 0.0.0.0/0 53, 0.0.0.0/0 80, 0.0.0.0/0 90", 10, 4,
		 "22,53,..."},
		{"nothing shorter after a cut", "0.0.0.0/0 5, 0.0.0.0/0 50000, 0.0.0.0/0 50002, 0.0.0.0/0 7",
		 12, 4, "5,7,..."},
		{"no room for any", "0.0.0.0/0 22", 5, 1, "..."},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table t = {0};
		char text[65];
		size_t n;

		make_scene(&t, "xa 0.0.0.0/0 *", cases[i].held);
		memset(text, '#', sizeof(text));
		n = binding_left_out_text(&t, t.bindings[0], text, cases[i].size);
		if (n != cases[i].count || strcmp(text, cases[i].text) != 0)
			fail_msg("%s: %zu \"%s\"", cases[i].name, n, text);
		assert_int_equal(text[cases[i].size], '#');
		table_clear(&t);
	}
}

static void another_protocol_takes_nothing(void **state)
{
	struct table t = {0};
	char text[64];

	make_scene(&t, "xa 10.0.0.0/8 *, xb 10.0.0.0/8 80-89", "0.0.0.0/0 85");
	assert_int_equal(binding_left_out_text(&t, t.bindings[0], text, sizeof(text)), 10);
	assert_true(binding_left_out(&t, t.bindings[0], 80));
	assert_true(binding_left_out(&t, t.bindings[1], 85));

	t.bindings[1]->rule.protocol = IPPROTO_UDP;
	assert_int_equal(binding_left_out_text(&t, t.bindings[0], text, sizeof(text)), 1);
	assert_string_equal(text, "85");
	assert_false(binding_left_out(&t, t.bindings[0], 80));
	assert_true(binding_left_out(&t, t.bindings[0], 85));
	assert_int_equal(binding_left_out_text(&t, t.bindings[1], text, sizeof(text)), 0);
	assert_false(binding_left_out(&t, t.bindings[1], 85));
	table_clear(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_left_out),
		cmocka_unit_test(cut_where_there_is_no_room),
		cmocka_unit_test(another_protocol_takes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
