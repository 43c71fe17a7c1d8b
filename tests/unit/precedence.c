// SPDX-License-Identifier: BSD-2-Clause
/* Who gets which port, as tables: what is given on one side, the runs of ports that come out on the other. */
#include "tests/unit/scene.h"

struct scene {
	const char *name, *given, *held; /* as make_scene() reads them */
	const char
		*rows; /* " 1-79: 80-89:2,1": runs, with the bindings that decide. Two may have the same. */
};

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

		make_scene(&t, scenes[i].given, scenes[i].held);
		assert_int_equal(table_rows(&t, IPPROTO_TCP, AF_INET, first, last, show_row, &s), 0);
		if (strcmp(s.text, scenes[i].rows) != 0)
			fail_msg("%s:%s and not%s", scenes[i].name, s.text, scenes[i].rows);
		table_clear(&t);
	}
}

static void rules_alone(void **state)
{
	static const struct scene scenes[] = {
		{"nothing", "", "", " 1-100:"},
		{"one port", "xa 0.0.0.0/0 80", "", " 1-79: 80:1 81-100:"},
		{"the first and the last port", "xa 0.0.0.0/0 1, xa 0.0.0.0/0 100", "", " 1:1 2-99: 100:2"},
		{"beyond both ends", "xa 0.0.0.0/0 *", "", " 1-100:1"},
		{"outside", "xa 0.0.0.0/0 101-200", "", " 1-100:"},
		{"reaching in", "xa 0.0.0.0/0 90-200", "", " 1-89: 90-100:1"},
		{"side by side", "xa 0.0.0.0/0 80-89, xa 0.0.0.0/0 90-99", "", " 1-79: 80-89:1 90-99:2 100:"},
		{"longest prefix first, whatever their age",
		 "xa 0.0.0.0/0 80, xb 10.0.0.0/8 80, xc 10.1.2.3 80, xa 10.1.0.0/16 80", "",
		 " 1-79: 80:3,4,2,1 81-100:"},
		{"a longer prefix wins even over a narrower port", "xa 0.0.0.0/0 80, xb 10.0.0.0/8 *", "",
		 " 1-79:2 80:2,1 81-100:2"},
		{"on a tie the narrowest port", "xa 10.0.0.0/8 *, xb 10.0.0.0/8 80-89, xc 10.0.0.0/8 85", "",
		 " 1-79:1 80-84:2 85:3 86-89:2 90-100:1"},
		{"in any order of age", "xc 10.0.0.0/8 85, xb 10.0.0.0/8 80-89, xa 10.0.0.0/8 *", "",
		 " 1-79:3 80-84:2 85:1 86-89:2 90-100:3"},
		{"ranges that cross: the narrower has what is common",
		 "xa 10.0.0.0/8 80-89, xb 10.0.0.0/8 85-95", "", " 1-79: 80-84:1 85-89:1 90-95:2 96-100:"},
		{"equal ranges: the older", "xa 10.0.0.0/8 80-89, xb 10.0.0.0/8 80-89", "",
		 " 1-79: 80-89:1 90-100:"},
		{"equally wide ranges that cross: the older", "xa 10.0.0.0/8 85-94, xb 10.0.0.0/8 80-89", "",
		 " 1-79: 80-84:2 85-89:1 90-94:1 95-100:"},
		{"equal rules of one listener: one of them", "xa 10.0.0.0/8 80, xa 10.0.0.0/8 80", "",
		 " 1-79: 80:1 81-100:"},
		{"prefixes of equal length beside each other, by address",
		 "xa 10.2.0.0/16 80, xb 10.1.0.0/16 80, xc 10.2.0.0/16 80-81, xc 10.0.0.0/8 80", "",
		 " 1-79: 80:2,1,4 81:3 82-100:"},
		{"the other family is not seen", "xa ::/0 80, xa ::ffff:0:0/96 81", "",
		 " 1-80: 81:2 82-100:"},
	};

	rows_are(scenes, COUNT(scenes), 1, 100);
}

static void ranges_give_way_to_sockets(void **state)
{
	static const struct scene scenes[] = {
		{"* less what is held", "xa 0.0.0.0/0 *", "0.0.0.0/0 22, 127.0.0.1 53",
		 " 1-21:1 22: 23-52:1 53: 54-100:1"},
		{"held at both ends and next to each other", "xa 0.0.0.0/0 80-89",
		 "0.0.0.0/0 80, 0.0.0.0/0 81, 0.0.0.0/0 89", " 1-79: 80: 81: 82-88:1 89: 90-100:"},
		{"held where the address is another", "xa 10.0.0.0/8 80-89",
		 "127.0.0.1 85, ::/0 86, 0.0.0.0/0 87, 10.1.2.3 88",
		 " 1-79: 80-84:1 85:1 86:1 87: 88: 89:1 90-100:"},
		{"a single port was settled when it was claimed", "xa 10.0.0.0/8 80", "0.0.0.0/0 80",
		 " 1-79: 80:1 81-100:"},
		{"only the range gives way", "xa 10.0.0.0/8 80, xa 10.0.0.0/8 80-89",
		 "0.0.0.0/0 80, 0.0.0.0/0 85", " 1-79: 80:1 81-84:2 85: 86-89:2 90-100:"},
		{"a longer prefix may keep what a shorter gives up", "xa 10.0.0.0/8 *, xa 0.0.0.0/0 *",
		 "127.0.0.1 85", " 1-84:1,2 85:1 86-100:1,2"},
	};

	rows_are(scenes, COUNT(scenes), 1, 100);
}

static void ranges_give_way_to_other_users(void **state)
{
	static const struct scene scenes[] = {
		{"a younger range with a longer prefix", "xa 0.0.0.0/0 80-89, yb 10.0.0.0/8 85-95", "",
		 " 1-79: 80-84:1 85-89:1 90-95:2 96-100:"},
		{"one's own may be taken", "xa 0.0.0.0/0 80-89, xb 10.0.0.0/8 85-95", "",
		 " 1-79: 80-84:1 85-89:2,1 90-95:2 96-100:"},
		{"a younger range of fewer ports, both ways the older keeps its own",
		 "xa 10.0.0.0/8 *, yb 10.0.0.0/8 80-89", "", " 1-79:1 80-89:1 90-100:1"},
		{"that crosses", "xa 10.0.0.0/8 80-95, yb 10.0.0.0/8 90-99", "",
		 " 1-79: 80-89:1 90-95:1 96-99:2 100:"},
		{"the older of fewer ports stays in a younger *", "xa 10.0.0.0/8 80-89, yb 10.0.0.0/8 *", "",
		 " 1-79:2 80-89:1 90-100:2"},
		{"an older exact port of a shorter prefix", "xa 0.0.0.0/0 85, yb 10.0.0.0/8 80-89", "",
		 " 1-79: 80-84:2 85:1 86-89:2 90-100:"},
		{"a longer prefix that is older is nobody else's", "xa 10.0.0.0/8 85, yb 0.0.0.0/0 80-89", "",
		 " 1-79: 80-84:2 85:1,2 86-89:2 90-100:"},
		{"prefixes that do not meet", "xa 192.0.2.0/24 *, yb 10.0.0.0/8 80-89", "",
		 " 1-79:1 80-89:1,2 90-100:1"},
		{"a third one of the first user, narrower than the second",
		 "xa 10.0.0.0/8 *, yb 10.0.0.0/8 80-89, xc 10.0.0.0/8 84-86", "",
		 " 1-79:1 80-83:1 84-86:1 87-89:1 90-100:1"},
	};

	rows_are(scenes, COUNT(scenes), 1, 100);
}

static void any_window(void **state)
{
	static const struct scene scenes[] = {
		{"from the middle", "xa 0.0.0.0/0 *, xa 0.0.0.0/0 80-89", "", " 85-89:2 90-95:1"},
		{"held outside", "xa 0.0.0.0/0 *", "0.0.0.0/0 84, 0.0.0.0/0 85, 0.0.0.0/0 95, 0.0.0.0/0 96",
		 " 85: 86-94:1 95:"},
	};
	static const struct scene everything = {"all there is", "xa 0.0.0.0/0 *, xb 0.0.0.0/0 65535",
						"0.0.0.0/0 65534", " 0: 1-65533:1 65534: 65535:2"};
	static const struct scene one = {"one", "xa 0.0.0.0/0 *", "", " 65535:1"};

	rows_are(scenes, COUNT(scenes), 85, 95);
	rows_are(&everything, 1, 0, 65535);
	rows_are(&one, 1, 65535, 65535);
}

static void the_other_protocol_is_another_world(void **state)
{
	struct table t = {0};
	struct shown tcp = {0}, udp = {0};

	make_scene(&t, "xa 10.0.0.0/8 *, xb 10.0.0.0/8 80-89", "0.0.0.0/0 85");
	t.bindings[1]->rule.protocol = IPPROTO_UDP;
	assert_int_equal(table_rows(&t, IPPROTO_TCP, AF_INET, 80, 99, show_row, &tcp), 0);
	assert_int_equal(table_rows(&t, IPPROTO_UDP, AF_INET, 80, 99, show_row, &udp), 0);
	assert_string_equal(tcp.text, " 80-84:1 85: 86-99:1");
	assert_string_equal(udp.text, " 80-89:2 90-99:");
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
	struct table t = {0};
	size_t calls = 0;

	make_scene(&t, "xa 0.0.0.0/0 80, xb 0.0.0.0/0 90", "");
	assert_int_equal(table_rows(&t, IPPROTO_TCP, AF_INET, 1, 100, stop_at_80, &calls), -ENOSPC);
	assert_int_equal(calls, 2);
	table_clear(&t);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
