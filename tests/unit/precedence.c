// SPDX-License-Identifier: BSD-2-Clause
/* Who gets which port, as tables: what is given on one side, the runs of ports that come out on the other. */
#include "tests/unit/objects.h"

#define MOST_GIVEN 5

/* A binding: its number is its place in the table and its age, counted from 1. */
struct given {
	unsigned int listener; /* 1 to 3; each has port 9000 of every address, both families */
	uint32_t uid;
	const char *prefix, *ports;
};

struct held {
	const char *prefix;
	uint16_t port;
};

struct scene {
	const char *name;
	struct given given[MOST_GIVEN];
	struct held held[MOST_GIVEN];
	const char *rows; /* " 1-79: 80-89:2,1": the runs with the bindings that decide, in order. Two runs
			     may have the same. */
};

static void make(struct table *t, const struct given *given, const struct held *held)
{
	struct holder holders[MOST_GIVEN];
	struct listener *l[3];
	size_t n = 0;

	for (size_t i = 0; i < COUNT(l); i++)
		l[i] = add_listener(t, "::", 9000, 0);
	for (size_t i = 0; i < MOST_GIVEN && given[i].prefix; i++)
		add_binding(t, l[given[i].listener - 1], given[i].uid,
			    rule_of(given[i].prefix, given[i].ports));
	for (; n < MOST_GIVEN && held[n].prefix; n++)
		holders[n] = holder_of(held[n].prefix, held[n].port, 0, n);
	set_holders(t, holders, n, NULL, NULL);
}

struct shown {
	char text[512];
	size_t used;
};

static int show_row(void *context, uint16_t first, uint16_t last, const struct binding *const *order,
		    size_t n)
{
	struct shown *s = context;
	char ports[16];

	snprintf(ports, sizeof(ports), first == last ? "%u" : "%u-%u", first, last);
	s->used += (size_t)snprintf(s->text + s->used, sizeof(s->text) - s->used, " %s:", ports);
	for (size_t i = 0; i < n; i++)
		s->used += (size_t)snprintf(s->text + s->used, sizeof(s->text) - s->used, "%s%u",
					    i ? "," : "", order[i]->index);
	return 0;
}

static void rows_are(const struct scene *scenes, size_t n, uint16_t first, uint16_t last)
{
	for (size_t i = 0; i < n; i++) {
		struct table t = {0};
		struct shown s = {0};

		make(&t, scenes[i].given, scenes[i].held);
		assert_int_equal(table_rows(&t, IPPROTO_TCP, AF_INET, first, last, show_row, &s), 0);
		if (strcmp(s.text, scenes[i].rows) != 0)
			fail_msg("%s:%s and not%s", scenes[i].name, s.text, scenes[i].rows);
		table_clear(&t);
	}
}

static void rules_alone(void **state)
{
	static const struct scene scenes[] = {
		{"nothing", {{0}}, {{0}}, " 1-100:"},
		{"one port", {{1, 0, "0.0.0.0/0", "80"}}, {{0}}, " 1-79: 80:1 81-100:"},
		{"the first and the last port",
		 {{1, 0, "0.0.0.0/0", "1"}, {1, 0, "0.0.0.0/0", "100"}},
		 {{0}},
		 " 1:1 2-99: 100:2"},
		{"beyond both ends", {{1, 0, "0.0.0.0/0", "*"}}, {{0}}, " 1-100:1"},
		{"outside", {{1, 0, "0.0.0.0/0", "101-200"}}, {{0}}, " 1-100:"},
		{"reaching in", {{1, 0, "0.0.0.0/0", "90-200"}}, {{0}}, " 1-89: 90-100:1"},
		{"side by side",
		 {{1, 0, "0.0.0.0/0", "80-89"}, {1, 0, "0.0.0.0/0", "90-99"}},
		 {{0}},
		 " 1-79: 80-89:1 90-99:2 100:"},
		{"longest prefix first, whatever their age",
		 {{1, 0, "0.0.0.0/0", "80"},
		  {2, 0, "10.0.0.0/8", "80"},
		  {3, 0, "10.1.2.3", "80"},
		  {1, 0, "10.1.0.0/16", "80"}},
		 {{0}},
		 " 1-79: 80:3,4,2,1 81-100:"},
		{"a longer prefix wins even over a narrower port",
		 {{1, 0, "0.0.0.0/0", "80"}, {2, 0, "10.0.0.0/8", "*"}},
		 {{0}},
		 " 1-79:2 80:2,1 81-100:2"},
		{"on a tie the narrowest port",
		 {{1, 0, "10.0.0.0/8", "*"}, {2, 0, "10.0.0.0/8", "80-89"}, {3, 0, "10.0.0.0/8", "85"}},
		 {{0}},
		 " 1-79:1 80-84:2 85:3 86-89:2 90-100:1"},
		{"in any order of age",
		 {{3, 0, "10.0.0.0/8", "85"}, {2, 0, "10.0.0.0/8", "80-89"}, {1, 0, "10.0.0.0/8", "*"}},
		 {{0}},
		 " 1-79:3 80-84:2 85:1 86-89:2 90-100:3"},
		{"ranges that cross: the narrower has what is common",
		 {{1, 0, "10.0.0.0/8", "80-89"}, {2, 0, "10.0.0.0/8", "85-95"}},
		 {{0}},
		 " 1-79: 80-84:1 85-89:1 90-95:2 96-100:"},
		{"equal ranges: the older",
		 {{1, 0, "10.0.0.0/8", "80-89"}, {2, 0, "10.0.0.0/8", "80-89"}},
		 {{0}},
		 " 1-79: 80-89:1 90-100:"},
		{"equally wide ranges that cross: the older",
		 {{1, 0, "10.0.0.0/8", "85-94"}, {2, 0, "10.0.0.0/8", "80-89"}},
		 {{0}},
		 " 1-79: 80-84:2 85-89:1 90-94:1 95-100:"},
		{"equal rules of one listener: one of them",
		 {{1, 0, "10.0.0.0/8", "80"}, {1, 0, "10.0.0.0/8", "80"}},
		 {{0}},
		 " 1-79: 80:1 81-100:"},
		{"prefixes of equal length beside each other, by address",
		 {{1, 0, "10.2.0.0/16", "80"},
		  {2, 0, "10.1.0.0/16", "80"},
		  {3, 0, "10.2.0.0/16", "80-81"},
		  {3, 0, "10.0.0.0/8", "80"}},
		 {{0}},
		 " 1-79: 80:2,1,4 81:3 82-100:"},
		{"the other family is not seen",
		 {{1, 0, "::/0", "80"}, {1, 0, "::ffff:0:0/96", "81"}},
		 {{0}},
		 " 1-80: 81:2 82-100:"},
	};

	rows_are(scenes, COUNT(scenes), 1, 100);
}

static void ranges_give_way_to_sockets(void **state)
{
	static const struct scene scenes[] = {
		{"* less what is held",
		 {{1, 0, "0.0.0.0/0", "*"}},
		 {{"0.0.0.0/0", 22}, {"127.0.0.1", 53}},
		 " 1-21:1 22: 23-52:1 53: 54-100:1"},
		{"held at both ends and next to each other",
		 {{1, 0, "0.0.0.0/0", "80-89"}},
		 {{"0.0.0.0/0", 80}, {"0.0.0.0/0", 81}, {"0.0.0.0/0", 89}},
		 " 1-79: 80: 81: 82-88:1 89: 90-100:"},
		{"held where the address is another",
		 {{1, 0, "10.0.0.0/8", "80-89"}},
		 {{"127.0.0.1", 85}, {"::/0", 86}, {"0.0.0.0/0", 87}, {"10.1.2.3", 88}},
		 " 1-79: 80-84:1 85:1 86:1 87: 88: 89:1 90-100:"},
		{"a single port was settled when it was claimed",
		 {{1, 0, "10.0.0.0/8", "80"}},
		 {{"0.0.0.0/0", 80}},
		 " 1-79: 80:1 81-100:"},
		{"only the range gives way",
		 {{1, 0, "10.0.0.0/8", "80"}, {1, 0, "10.0.0.0/8", "80-89"}},
		 {{"0.0.0.0/0", 80}, {"0.0.0.0/0", 85}},
		 " 1-79: 80:1 81-84:2 85: 86-89:2 90-100:"},
		{"a longer prefix may keep what a shorter gives up",
		 {{1, 0, "10.0.0.0/8", "*"}, {1, 0, "0.0.0.0/0", "*"}},
		 {{"127.0.0.1", 85}},
		 " 1-84:1,2 85:1 86-100:1,2"},
	};

	rows_are(scenes, COUNT(scenes), 1, 100);
}

static void ranges_give_way_to_other_users(void **state)
{
	static const struct scene scenes[] = {
		{"a younger range with a longer prefix",
		 {{1, 1000, "0.0.0.0/0", "80-89"}, {2, 1001, "10.0.0.0/8", "85-95"}},
		 {{0}},
		 " 1-79: 80-84:1 85-89:1 90-95:2 96-100:"},
		{"one's own may be taken",
		 {{1, 1000, "0.0.0.0/0", "80-89"}, {2, 1000, "10.0.0.0/8", "85-95"}},
		 {{0}},
		 " 1-79: 80-84:1 85-89:2,1 90-95:2 96-100:"},
		{"a younger range of fewer ports, both ways the older keeps its own",
		 {{1, 1000, "10.0.0.0/8", "*"}, {2, 1001, "10.0.0.0/8", "80-89"}},
		 {{0}},
		 " 1-79:1 80-89:1 90-100:1"},
		{"that crosses",
		 {{1, 1000, "10.0.0.0/8", "80-95"}, {2, 1001, "10.0.0.0/8", "90-99"}},
		 {{0}},
		 " 1-79: 80-89:1 90-95:1 96-99:2 100:"},
		{"the older of fewer ports stays in a younger *",
		 {{1, 1000, "10.0.0.0/8", "80-89"}, {2, 1001, "10.0.0.0/8", "*"}},
		 {{0}},
		 " 1-79:2 80-89:1 90-100:2"},
		{"an older exact port of a shorter prefix",
		 {{1, 1000, "0.0.0.0/0", "85"}, {2, 1001, "10.0.0.0/8", "80-89"}},
		 {{0}},
		 " 1-79: 80-84:2 85:1 86-89:2 90-100:"},
		{"a longer prefix that is older is nobody else's",
		 {{1, 1000, "10.0.0.0/8", "85"}, {2, 1001, "0.0.0.0/0", "80-89"}},
		 {{0}},
		 " 1-79: 80-84:2 85:1,2 86-89:2 90-100:"},
		{"prefixes that do not meet",
		 {{1, 1000, "192.0.2.0/24", "*"}, {2, 1001, "10.0.0.0/8", "80-89"}},
		 {{0}},
		 " 1-79:1 80-89:1,2 90-100:1"},
		{"a third one of the first user, narrower than the second",
		 {{1, 1000, "10.0.0.0/8", "*"},
		  {2, 1001, "10.0.0.0/8", "80-89"},
		  {3, 1000, "10.0.0.0/8", "84-86"}},
		 {{0}},
		 " 1-79:1 80-83:1 84-86:1 87-89:1 90-100:1"},
	};

	rows_are(scenes, COUNT(scenes), 1, 100);
}

static void any_window(void **state)
{
	static const struct scene scenes[] = {
		{"from the middle",
		 {{1, 0, "0.0.0.0/0", "*"}, {1, 0, "0.0.0.0/0", "80-89"}},
		 {{0}},
		 " 85-89:2 90-95:1"},
		{"held outside",
		 {{1, 0, "0.0.0.0/0", "*"}},
		 {{"0.0.0.0/0", 84}, {"0.0.0.0/0", 85}, {"0.0.0.0/0", 95}, {"0.0.0.0/0", 96}},
		 " 85: 86-94:1 95:"},
	};
	static const struct scene everything = {"all there is",
						{{1, 0, "0.0.0.0/0", "*"}, {2, 0, "0.0.0.0/0", "65535"}},
						{{"0.0.0.0/0", 65534}},
						" 0: 1-65533:1 65534: 65535:2"};
	static const struct scene one = {"one", {{1, 0, "0.0.0.0/0", "*"}}, {{0}}, " 65535:1"};

	rows_are(scenes, COUNT(scenes), 85, 95);
	rows_are(&everything, 1, 0, 65535);
	rows_are(&one, 1, 65535, 65535);
}

static void the_other_protocol_is_another_world(void **state)
{
	static const struct given given[MOST_GIVEN] = {{1, 0, "10.0.0.0/8", "*"},
						       {2, 0, "10.0.0.0/8", "80-89"}};
	static const struct held held[MOST_GIVEN] = {{"0.0.0.0/0", 85}};
	struct table t = {0};
	struct shown tcp = {0}, udp = {0};

	make(&t, given, held);
	t.bindings[1]->rule.protocol = IPPROTO_UDP;
	assert_int_equal(table_rows(&t, IPPROTO_TCP, AF_INET, 80, 99, show_row, &tcp), 0);
	assert_int_equal(table_rows(&t, IPPROTO_UDP, AF_INET, 80, 99, show_row, &udp), 0);
	assert_string_equal(tcp.text, " 80-84:1 85: 86-99:1");
	assert_string_equal(udp.text, " 80-89:2 90-99:");
	assert_false(binding_left_out(&t, t.bindings[0], 80));
	assert_true(binding_left_out(&t, t.bindings[0], 85));
	assert_false(binding_left_out(&t, t.bindings[1], 85));
	table_clear(&t);
}

static int stop_at_80(void *context, uint16_t first, uint16_t last, const struct binding *const *order,
		      size_t n)
{
	++*(size_t *)context;
	return first <= 80 && 80 <= last ? -ENOSPC : 0;
}

static void the_first_refusal_ends_it(void **state)
{
	static const struct given given[MOST_GIVEN] = {{1, 0, "0.0.0.0/0", "80"}, {2, 0, "0.0.0.0/0", "90"}};
	static const struct held held[MOST_GIVEN] = {{0}};
	struct table t = {0};
	size_t calls = 0;

	make(&t, given, held);
	assert_int_equal(table_rows(&t, IPPROTO_TCP, AF_INET, 1, 100, stop_at_80, &calls), -ENOSPC);
	assert_int_equal(calls, 2);
	table_clear(&t);
}

static void what_a_range_does_not_get(void **state)
{
	static const struct {
		const char *name;
		struct given given[MOST_GIVEN];
		struct held held[MOST_GIVEN];
		unsigned int of; /* this binding */
		size_t size, count;
		const char *text;
	} cases[] = {
		{"nothing", {{1, 0, "0.0.0.0/0", "*"}}, {{0}}, 1, 64, 0, ""},
		{"a single port never", {{1, 0, "0.0.0.0/0", "80"}}, {{"0.0.0.0/0", 80}}, 1, 64, 0, ""},
		{"held ports",
		 {{1, 0, "0.0.0.0/0", "*"}},
		 {{"0.0.0.0/0", 22}, {"10.0.0.1", 53}},
		 1,
		 64,
		 2,
		 "22,53"},
		{"neighbours are one run",
		 {{1, 0, "0.0.0.0/0", "*"}},
		 {{"0.0.0.0/0", 23}, {"0.0.0.0/0", 22}, {"0.0.0.0/0", 24}, {"0.0.0.0/0", 65535}},
		 1,
		 64,
		 4,
		 "22-24,65535"},
		{"outside it nothing is held",
		 {{1, 0, "0.0.0.0/0", "80-89"}},
		 {{"0.0.0.0/0", 79}, {"0.0.0.0/0", 80}, {"0.0.0.0/0", 89}, {"0.0.0.0/0", 90}},
		 1,
		 64,
		 2,
		 "80,89"},
		{"its own port is no news", {{1, 0, "0.0.0.0/0", "*"}}, {{"0.0.0.0/0", 9000}}, 1, 64, 0, ""},
		{"nor between others",
		 {{1, 0, "0.0.0.0/0", "*"}},
		 {{"0.0.0.0/0", 8999}, {"0.0.0.0/0", 9000}, {"0.0.0.0/0", 9001}},
		 1,
		 64,
		 2,
		 "8999,9001"},
		{"nor inside what another listener has",
		 {{1, 0, "0.0.0.0/0", "8000-9999"}, {2, 0, "0.0.0.0/0", "8995-9004"}},
		 {{0}},
		 1,
		 64,
		 9,
		 "8995-8999,9001-9004"},
		{"nor at the edge of it",
		 {{1, 0, "0.0.0.0/0", "8000-9999"}, {2, 0, "0.0.0.0/0", "9000-9004"}},
		 {{0}},
		 1,
		 64,
		 4,
		 "9001-9004"},
		{"what another listener wins with the same prefix",
		 {{1, 0, "0.0.0.0/0", "*"}, {2, 0, "0.0.0.0/0", "80-89"}},
		 {{0}},
		 1,
		 64,
		 10,
		 "80-89"},
		{"not what a longer prefix wins: the rest of it is still got",
		 {{1, 0, "0.0.0.0/0", "*"}, {2, 0, "10.0.0.0/8", "80-89"}},
		 {{0}},
		 1,
		 64,
		 0,
		 ""},
		{"not what the same listener wins",
		 {{1, 0, "0.0.0.0/0", "*"}, {1, 0, "0.0.0.0/0", "80-89"}},
		 {{0}},
		 1,
		 64,
		 0,
		 ""},
		{"what another user had",
		 {{1, 1000, "0.0.0.0/0", "85"}, {2, 1001, "10.0.0.0/8", "80-89"}},
		 {{0}},
		 2,
		 64,
		 1,
		 "85"},
		{"all of it",
		 {{1, 1000, "0.0.0.0/0", "*"}, {2, 1001, "10.0.0.0/8", "80-89"}},
		 {{0}},
		 2,
		 64,
		 10,
		 "80-89"},
		{"not what a younger one of another user gives up itself",
		 {{1, 1000, "10.0.0.0/8", "*"}, {2, 1001, "10.0.0.0/8", "80-89"}},
		 {{0}},
		 1,
		 64,
		 0,
		 ""},
		{"fits exactly, with room for the dots",
		 {{1, 0, "0.0.0.0/0", "*"}},
		 {{"0.0.0.0/0", 22}, {"0.0.0.0/0", 53}},
		 1,
		 10,
		 2,
		 "22,53"},
		{"cut, but counted",
		 {{1, 0, "0.0.0.0/0", "*"}},
		 {{"0.0.0.0/0", 22}, {"0.0.0.0/0", 53}, {"0.0.0.0/0", 80}, {"0.0.0.0/0", 90}},
		 1,
		 10,
		 4,
		 "22,53,..."},
		{"nothing shorter after a cut",
		 {{1, 0, "0.0.0.0/0", "*"}},
		 {{"0.0.0.0/0", 5}, {"0.0.0.0/0", 50000}, {"0.0.0.0/0", 50002}, {"0.0.0.0/0", 7}},
		 1,
		 12,
		 4,
		 "5,7,..."},
		{"no room for any", {{1, 0, "0.0.0.0/0", "*"}}, {{"0.0.0.0/0", 22}}, 1, 5, 1, "..."},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct table t = {0};
		char text[65];
		size_t n;

		make(&t, cases[i].given, cases[i].held);
		memset(text, '#', sizeof(text));
		n = binding_left_out_text(&t, t.bindings[cases[i].of - 1], text, cases[i].size);
		if (n != cases[i].count || strcmp(text, cases[i].text) != 0)
			fail_msg("%s: %zu \"%s\"", cases[i].name, n, text);
		assert_int_equal(text[cases[i].size], '#');
		table_clear(&t);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_alone),
		cmocka_unit_test(ranges_give_way_to_sockets),
		cmocka_unit_test(ranges_give_way_to_other_users),
		cmocka_unit_test(any_window),
		cmocka_unit_test(the_other_protocol_is_another_world),
		cmocka_unit_test(the_first_refusal_ends_it),
		cmocka_unit_test(what_a_range_does_not_get),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
