// SPDX-License-Identifier: BSD-2-Clause
/* What a user has, and that he gets no more than his quotas. */
#include "tests/unit/policies.h"

#include "helper/rules/usage.h"

#define ME  1000
#define YOU 1001

static void counting(void **state)
{
	const struct member second = {.cookie = 900, .uid = ME},
			    dead = {.cookie = 901, .uid = ME, .dead = true};
	struct table t = {0}, other = {0};
	struct listener *l = add_listener(&t, "0.0.0.0", 9000, ME);
	struct usage u = {0};

	add_listener(&t, "0.0.0.0", 9001, YOU);
	assert_int_equal(listener_add_member(l, &second), 0);
	assert_int_equal(listener_add_member(l, &dead), 0);
	add_binding(&t, l, ME, rule_of("0.0.0.0/0", "80"));
	add_binding(&t, l, ME, rule_of("0.0.0.0/0", "90-99"));
	add_binding(&t, l, ME, rule_of("0.0.0.0/0", "9000"))->own = true;
	add_binding(&t, t.listeners[1], YOU, rule_of("0.0.0.0/0", "100-110"));
	add_listener(&other, "::", 9000, ME);
	add_binding(&other, other.listeners[0], ME, rule_of("::/0", "200-210"));

	usage_add(&u, &t, ME);
	usage_add(&u, &other, ME);
	assert_int_equal(u.listeners, 2);
	assert_int_equal(u.sockets, 3);
	assert_int_equal(u.bindings, 3);
	assert_int_equal(usage_ranges(&t, ME), 1);
	assert_int_equal(usage_ranges(&t, YOU), 1);
	assert_int_equal(usage_ranges(&t, 4001), 0);
	table_clear(&t);
	table_clear(&other);
}

static void limits(void **state)
{
	struct policy *policy = policy_of("[default]\nlisteners = 3\nbindings = 200\n");
	struct claimant who = {.uid = ME, .policy = policy};
	struct rule port = rule_of("0.0.0.0/0", "80"), range = rule_of("0.0.0.0/0", "80-81");
	struct usage u = {.listeners = 2, .sockets = 23, .bindings = 199, .ranges = 127};
	struct say s = {0};

	policy->path = "/etc/skl/test.conf";
	assert_int_equal(usage_listener(&u, &who, "tcp port 80", &s), 0);
	assert_int_equal(usage_socket(&u, &who, "tcp port 80", &s), 0);
	assert_int_equal(usage_binding(&u, &who, &range, &s), 0);
	assert_false(usage_is_tight(&u, &who, 1));
	assert_true(usage_is_tight(&u, &who, 2));
	assert_int_equal(s.length, 0);

	u.ranges = 128;
	assert_int_equal(usage_binding(&u, &who, &port, &s), 0);
	assert_int_equal(usage_binding(&u, &who, &range, &s), -EMFILE);
	assert_string_equal(
		s.text, "tcp ports 80-81: Too many open files: uid 1000 covers 128 ranges in this network "
			"namespace, which is the most");
	u.bindings = 200;
	say_rewind(&s, 0);
	assert_int_equal(usage_binding(&u, &who, &port, &s), -EMFILE);
	assert_string_equal(s.text,
			    "tcp port 80: Too many open files: uid 1000 has 200 bindings, which is the most "
			    "(bindings in /etc/skl/test.conf)");
	u.listeners = 3;
	say_rewind(&s, 0);
	assert_int_equal(usage_listener(&u, &who, "udp port 53", &s), -EMFILE);
	assert_string_equal(s.text,
			    "udp port 53: Too many open files: uid 1000 has 3 listeners, which is the most "
			    "(listeners in /etc/skl/test.conf)");
	u.sockets = 24;
	say_rewind(&s, 0);
	assert_int_equal(usage_socket(&u, &who, "udp port 53", &s), -EMFILE);
	assert_string_equal(
		s.text, "udp port 53: Too many open files: uid 1000 has 24 sockets of listeners, which is "
			"the most (listeners in /etc/skl/test.conf)");

	who.uid = 0; /* root has no limit */
	say_rewind(&s, 0);
	assert_int_equal(usage_listener(&u, &who, "tcp port 80", &s), 0);
	assert_int_equal(usage_socket(&u, &who, "tcp port 80", &s), 0);
	assert_int_equal(usage_binding(&u, &who, &range, &s), 0);
	policy_free(policy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(counting),
		cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
