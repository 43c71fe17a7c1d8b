// SPDX-License-Identifier: BSD-2-Clause
/* What the table finds for a rule is what a look at every binding finds, whatever came and went before. */
#include "tests/unit/objects.h"

#define LISTENERS 5
#define MOST	  400

static const char *const prefixes[] = {
	"0.0.0.0/0",
	"10.0.0.0/8",
	"10.0.0.0/9",
	"10.128.0.0/9",
	"10.0.0.0/32",
	"10.0.0.1/32",
	"10.0.0.0/31",
	"10.255.255.255/32",
	"11.0.0.0/8",
	"128.0.0.0/1",
	"255.255.255.255/32",
	"0.0.0.0/32",
	"::/0",
	"2001:db8::/32",
	"2001:db8::/64",
	"2001:db8::1/128",
	"2001:db8::/128",
	"2001:db8:0:1::/64",
	"2001:db8::8000:0:0:0/65",
	"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128",
};

static const char *const ports[] = {"7", "7", "7", "8", "65535", "7-8", "*", "1-6"};

static struct rule random_rule(void)
{
	struct rule r =
		rule_of(prefixes[(size_t)random() % COUNT(prefixes)], ports[(size_t)random() % COUNT(ports)]);

	if (random() % 4 == 0)
		r.protocol = IPPROTO_UDP;
	return r;
}

static bool same_rule(const struct rule *a, const struct rule *b)
{
	return a->protocol == b->protocol && a->first == b->first && a->last == b->last &&
	       prefix_same(&a->prefix, &b->prefix);
}

/* Each once, and no other. */
static void check_overlaps(const struct table *t, const struct rule *r)
{
	struct overlaps overlaps = table_overlaps(t, r);
	size_t found = 0, expected = 0;
	struct binding *b, *seen[MOST];

	while ((b = overlaps_next(&overlaps))) {
		assert_true(rules_overlap(&b->rule, r));
		for (size_t i = 0; i < found; i++)
			assert_ptr_not_equal(b, seen[i]);
		assert_true(found < MOST);
		seen[found++] = b;
	}
	assert_null(overlaps_next(&overlaps));
	for (size_t i = 0; i < t->n_bindings; i++)
		expected += rules_overlap(&t->bindings[i]->rule, r);
	assert_int_equal(found, expected);
}

static void check_has(const struct table *t, const struct rule *r)
{
	for (size_t l = 0; l < LISTENERS; l++) {
		bool expected = false;

		for (size_t i = 0; i < t->n_bindings; i++)
			expected |= t->bindings[i]->listener == t->listeners[l] &&
				    same_rule(&t->bindings[i]->rule, r);
		assert_int_equal(table_has(t, t->listeners[l], r), expected);
	}
}

static void random_tables(void **state)
{
	struct table t = {0};

	srandom(11);
	for (size_t i = 0; i < LISTENERS; i++)
		add_listener(&t, "10.0.0.1", 80, 0);
	for (size_t i = 0; i < 20000; i++) {
		struct rule r = random_rule();

		/* fills up to some size, is emptied, and again */
		if (t.n_bindings < MOST && (i / 500 % 2 ? random() % 3 == 0 : random() % 3 != 0))
			add_binding(&t, t.listeners[(size_t)random() % LISTENERS], 0, r);
		else if (t.n_bindings)
			table_remove_binding(&t, t.bindings[(size_t)random() % t.n_bindings]);
		r = random_rule();
		check_has(&t, &r);
		if (!rule_is_wide(&r))
			check_overlaps(&t, &r);
	}
	assert_int_equal(t.exact.n + t.wide.n, t.n_bindings);
	table_clear(&t);
}

/* As the end of a listener takes them out: together. */
static void many_at_once(void **state)
{
	struct rule any = rule_of("0.0.0.0/0", "7"), one = rule_of("10.0.0.1/32", "7");
	struct table t = {0};
	size_t kept = 0;

	srandom(12);
	for (size_t i = 0; i < LISTENERS; i++)
		add_listener(&t, "10.0.0.1", 80, 0);
	for (size_t i = 0; i < MOST; i++)
		add_binding(&t, t.listeners[i % LISTENERS], 0, random_rule());
	for (size_t i = 0; i < MOST; i++) {
		struct binding *b = t.bindings[i];

		if (b->listener == t.listeners[1])
			continue;
		t.bindings[i] = t.bindings[kept];
		t.bindings[kept++] = b;
	}
	table_unindex(&t, t.bindings + kept, MOST - kept);
	for (size_t i = kept; i < MOST; i++)
		free(t.bindings[i]);
	t.n_bindings = kept;
	check_overlaps(&t, &any);
	check_overlaps(&t, &one);
	check_has(&t, &one);
	table_clear(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_tables),
		cmocka_unit_test(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
