// SPDX-License-Identifier: BSD-2-Clause
/* Who may have what: what bind() would have refused is refused, in words that say whose it is. */
#include "tests/unit/objects.h"

#include "helper/rules/policy.h"

#define ROOT 0
#define ME   1000
#define YOU  1001

static void low_ports(void **state)
{
	static const struct {
		const char *name;
		bool may_bind_low;
		uint32_t first_free;
		const char *ports, *gets; /* or NULL */
		const char *says;	  /* or NULL */
	} cases[] = {
		{"a high port", false, 1024, "1024", "1024", NULL},
		{"the last low one", false, 1024, "1023", NULL,
		 "tcp port 1023: Permission denied: uid 1000 may not cover ports below 1024 (grant it in "
		 "/etc/skl/policy.conf)"},
		{"port 1", false, 1024, "1", NULL, "tcp port 1: Permission denied: uid 1000 "},
		{"a high range", false, 1024, "1024-1030", "1024-1030", NULL},
		{"a range that begins low", false, 1024, "1023-1030", NULL,
		 "tcp ports 1023-1030: Permission denied: uid 1000 may not cover ports below 1024 "},
		{"almost everything", false, 1024, "2-65535", NULL, "tcp ports 2-65535: Permission denied: "},
		{"up to the last", false, 1024, "1-65534", NULL, "tcp ports 1-65534: Permission denied: "},
		{"* is what one may have", false, 1024, "*", "1024-65535", NULL},
		{"with the capability", true, 1024, "22", "22", NULL},
		{"a range with it", true, 1024, "1-1030", "1-1030", NULL},
		{"* with it", true, 1024, "*", "*", NULL},
		{"where low ports begin lower", false, 80, "80", "80", NULL},
		{"below those", false, 80, "79", NULL,
		 "tcp port 79: Permission denied: uid 1000 may not cover ports below 80 "},
		{"* there", false, 80, "*", "80-65535", NULL},
		{"where none is low", false, 0, "1", "1", NULL},
		{"* there too", false, 0, "*", "*", NULL},
		{"where only the last is free", false, 65535, "*", "65535", NULL},
		{"where all are low", false, 65536, "65535", NULL, "tcp port 65535: Permission denied: "},
		{"* where all are low", false, 65536, "*", NULL, "tcp ports *: Permission denied: "},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct claimant who = {ME,   cases[i].may_bind_low, cases[i].first_free, 32768, 60999,
					     false};
		struct rule r = rule_of("0.0.0.0/0", cases[i].ports);
		struct rule want = rule_of("0.0.0.0/0", cases[i].gets ? cases[i].gets : cases[i].ports);
		struct say s = {0};
		int err = policy_ports(&who, &r, &s);

		if (err != (cases[i].gets ? 0 : -EACCES))
			fail_msg("%s: %d %s", cases[i].name, err, s.text);
		if (r.first != want.first || r.last != want.last)
			fail_msg("%s: %u-%u", cases[i].name, r.first, r.last);
		if (cases[i].says ? strncmp(s.text, cases[i].says, strlen(cases[i].says)) != 0 : s.length > 0)
			fail_msg("%s: %s", cases[i].name, s.text);
	}
}

/* Everything is about one claim of ME for a listener of its own, which has the cookies 102 and 103. */
struct against {
	const char *name;
	const char *asked, *ports; /* the rule claimed */
	uint32_t uid;		   /* of what is there */
	const char *there, *there_ports;
	bool conflict;
};

static struct listener *mine(struct table *t)
{
	const struct member sibling = {.cookie = 103, .uid = ME};
	struct listener *l;

	add_listener(t, "0.0.0.0", 9000, YOU);
	l = add_listener(t, "0.0.0.0", 9001, ME);
	assert_int_equal(listener_add_member(l, &sibling), 0);
	return l;
}

static void bindings_of_others(void **state)
{
	static const struct against cases[] = {
		{"another port", "10.0.0.0/8", "80", YOU, "10.0.0.0/8", "81", false},
		{"another address", "10.0.0.0/8", "80", YOU, "192.0.2.0/24", "80", false},
		{"another family", "::/0", "80", YOU, "0.0.0.0/0", "80", false},

		{"equal, another user's", "10.0.0.0/8", "80", YOU, "10.0.0.0/8", "80", true},
		{"equal, one's own", "10.0.0.0/8", "80", ME, "10.0.0.0/8", "80", true},
		{"a longer prefix over another user's", "10.1.0.0/16", "80", YOU, "10.0.0.0/8", "80", true},
		{"a longer prefix over one's own", "10.1.0.0/16", "80", ME, "10.0.0.0/8", "80", false},
		{"a shorter one under another user's", "10.0.0.0/8", "80", YOU, "10.1.0.0/16", "80", false},
		{"a shorter one under one's own", "10.0.0.0/8", "80", ME, "10.1.0.0/16", "80", false},

		{"out of another user's range", "10.0.0.0/8", "80", YOU, "10.0.0.0/8", "80-89", true},
		{"out of the end of it", "10.0.0.0/8", "89", YOU, "10.0.0.0/8", "80-89", true},
		{"just after it", "10.0.0.0/8", "90", YOU, "10.0.0.0/8", "80-89", false},
		{"out of another user's *", "10.0.0.0/8", "80", YOU, "0.0.0.0/0", "*", true},
		{"out of one's own range", "10.0.0.0/8", "80", ME, "10.0.0.0/8", "80-89", false},
		{"under another user's longer *", "10.0.0.0/8", "80", YOU, "10.1.0.0/16", "*", false},

		{"a range gives way, it is never refused", "10.0.0.0/8", "80-89", YOU, "10.0.0.0/8", "85",
		 false},
		{"nor is *", "10.0.0.0/8", "*", YOU, "0.0.0.0/0", "*", false},
		{"nor an equal range", "10.0.0.0/8", "80-89", YOU, "10.0.0.0/8", "80-89", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct against *c = &cases[i];
		const struct claimant who = {ME, true, 1024, 32768, 60999, false};
		struct rule asked = rule_of(c->asked, c->ports);
		struct table t = {0};
		struct listener *l = mine(&t);
		struct binding *there =
			add_binding(&t, t.listeners[0], c->uid, rule_of(c->there, c->there_ports));
		struct conflict conflict;

		if (policy_conflict(&t, &who, l, &asked, &conflict) != c->conflict)
			fail_msg("%s", c->name);
		assert_ptr_equal(conflict.binding, c->conflict ? there : NULL);
		assert_null(conflict.holder);

		/* what a listener has never stands against itself, nor does another protocol */
		there->listener = l;
		assert_false(policy_conflict(&t, &who, l, &asked, &conflict));
		there->listener = t.listeners[0];
		there->rule.protocol = IPPROTO_UDP;
		assert_false(policy_conflict(&t, &who, l, &asked, &conflict));
		table_clear(&t);
	}
}

static void sockets_of_others(void **state)
{
	static const struct against cases[] = {
		{"another port", "10.0.0.0/8", "80", YOU, "10.0.0.1", "81", false},
		{"another address", "10.0.0.0/8", "80", YOU, "127.0.0.1", "80", false},
		{"another family", "0.0.0.0/0", "80", YOU, "::/0", "80", false},

		{"another user's on every address", "10.0.0.0/8", "80", YOU, "0.0.0.0/0", "80", true},
		{"another user's inside", "10.0.0.0/8", "80", YOU, "10.0.0.1", "80", true},
		{"another user's, equal", "10.0.0.1", "80", YOU, "10.0.0.1", "80", true},
		{"the administrator's", "10.0.0.0/8", "80", ROOT, "0.0.0.0/0", "80", true},
		{"one's own on every address", "10.0.0.0/8", "80", ME, "0.0.0.0/0", "80", false},
		{"one's own, equal", "10.0.0.1", "80", ME, "10.0.0.1", "80", true},
		{"one's own, equal, on every address", "0.0.0.0/0", "80", ME, "0.0.0.0/0", "80", true},
		{"one's own inside", "10.0.0.0/8", "80", ME, "10.0.0.1", "80", true},

		{"a range gives way", "10.0.0.0/8", "80-89", YOU, "10.0.0.1", "80", false},
		{"so does *", "0.0.0.0/0", "*", YOU, "0.0.0.0/0", "80", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct against *c = &cases[i];
		const struct claimant who = {ME, true, 1024, 32768, 60999, false};
		struct rule asked = rule_of(c->asked, c->ports), there = rule_of(c->there, c->there_ports);
		struct holder holder = holder_of(c->there, there.first, c->uid, 500);
		struct table t = {0};
		struct listener *l = mine(&t);
		struct conflict conflict;

		set_holders(&t, &holder, 1, NULL, NULL);
		if (policy_conflict(&t, &who, l, &asked, &conflict) != c->conflict)
			fail_msg("%s", c->name);
		assert_ptr_equal(conflict.holder, c->conflict ? t.holders : NULL);
		assert_null(conflict.binding);

		t.holders[0].protocol = IPPROTO_UDP;
		assert_false(policy_conflict(&t, &who, l, &asked, &conflict));
		table_clear(&t);
	}
}

/* Every socket of the listener is itself, also one that joined with SO_REUSEPORT; a dead one's cookie is not.
 */
static void a_listener_is_not_in_its_own_way(void **state)
{
	const struct claimant who = {ME, true, 1024, 32768, 60999, false};
	struct rule asked = rule_of("10.0.0.0/8", "80");
	struct table t = {0};
	struct listener *l = mine(&t);
	struct conflict conflict;

	for (uint64_t cookie = 101; cookie <= 104; cookie++) {
		bool own = cookie == 102 || cookie == 103;
		struct holder holder = holder_of("10.0.0.1", 80, YOU, cookie);

		set_holders(&t, &holder, 1, NULL, NULL);
		assert_int_equal(policy_conflict(&t, &who, l, &asked, &conflict), !own);
	}
	l->members[1].dead = true;
	t.holders[0].cookie = 103;
	assert_true(policy_conflict(&t, &who, l, &asked, &conflict));
	table_clear(&t);
}

/* The one that stands in the way is found among many that do not; a binding is told before a socket. */
static void found_among_many(void **state)
{
	const struct claimant who = {ME, true, 1024, 32768, 60999, false};
	struct rule asked = rule_of("10.0.0.0/8", "80");
	struct holder holders[200];
	struct table t = {0};
	struct listener *l = mine(&t);
	struct conflict conflict;

	for (uint16_t i = 0; i < 200; i++) {
		holders[i] = holder_of("0.0.0.0/0", i == 150 ? 80 : (uint16_t)(1000 + i), YOU, 1000 + i);
		add_binding(&t, t.listeners[0], YOU, rule_of("192.0.2.0/24", "*"));
	}
	set_holders(&t, holders, 200, NULL, NULL);
	assert_true(policy_conflict(&t, &who, l, &asked, &conflict));
	assert_null(conflict.binding);
	assert_int_equal(conflict.holder->cookie, 1150);

	t.bindings[199]->rule = rule_of("10.0.0.0/8", "80");
	assert_true(policy_conflict(&t, &who, l, &asked, &conflict));
	assert_ptr_equal(conflict.binding, t.bindings[199]);
	assert_null(conflict.holder);
	table_clear(&t);
}

static void sentences(void **state)
{
	struct rule asked = rule_of("10.1.0.0/16", "80");
	struct table t = {0};
	struct listener *l = add_listener(&t, "2001:db8::1", 9000, YOU);
	struct binding *b = add_binding(&t, l, YOU, rule_of("10.0.0.0/8", "*"));
	struct holder everywhere = holder_of("0.0.0.0/0", 80, 33, 1),
		      there = holder_of("10.1.2.3", 80, 33, 1);
	struct conflict conflict = {.binding = b};
	struct say s = {0};

	assert_int_equal(policy_refuse(&conflict, &asked, &s), -EADDRINUSE);
	assert_string_equal(s.text,
			    "tcp port 80: Address already in use: listener 1 (server, pid 4000, uid 1001, "
			    "bound to [2001:db8::1]:9000) covers it on 10.0.0.0/8 (stop that program, or "
			    "choose another port)");
	say_rewind(&s, 0);
	conflict = (struct conflict){.holder = &everywhere};
	assert_int_equal(policy_refuse(&conflict, &asked, &s), -EADDRINUSE);
	assert_string_equal(s.text,
			    "tcp port 80: Address already in use: a socket of uid 33 that is bound to "
			    "every address has it (ss -ltnp 'sport = :80' shows its program)");
	say_rewind(&s, 0);
	conflict = (struct conflict){.holder = &there};
	asked.protocol = IPPROTO_UDP;
	assert_int_equal(policy_refuse(&conflict, &asked, &s), -EADDRINUSE);
	assert_string_equal(s.text,
			    "udp port 80: Address already in use: a socket of uid 33 that is bound to "
			    "10.1.2.3 has it (ss -ltnp 'sport = :80' shows its program)");
	table_clear(&t);
}

static void rules_as_text(void **state)
{
	static const char *const cases[][2] = {
		{"22", "tcp port 22"},
		{"80-89", "tcp ports 80-89"},
		{"*", "tcp ports *"},
		{"65534-65535", "tcp ports 65534-65535"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct rule r = rule_of("0.0.0.0/0", cases[i][0]);
		char text[RULE_TEXT];

		rule_format(&r, text);
		assert_string_equal(text, cases[i][1]);
	}
}

static void prefixes_that_may_become_local(void **state)
{
	static const struct {
		const char *prefix;
		bool routable;
	} cases[] = {
		{"192.0.2.0/24", true},	 {"10.0.0.0/8", true},	 {"192.0.2.1", true},
		{"240.0.0.0/8", true},	 {"0.0.0.0/0", false},	 {"128.0.0.0/1", false},
		{"10.0.0.0/7", false},	 {"224.0.0.0/8", false}, {"239.1.2.3", false},
		{"2001:db8::/32", true}, {"2001:db8::1", true},	 {"fd00::/16", true},
		{"fec0::/16", true},	 {"::/0", false},	 {"2000::/3", false},
		{"fe80::/16", false},	 {"febf::1", false},	 {"ff02::1", false},
		{"2000::/15", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct prefix p = prefix_of(cases[i].prefix);
		const struct claimant granted = {.may_route = true}, other = {.may_route = false};

		if (policy_is_routable(&p) != cases[i].routable)
			fail_msg("%s", cases[i].prefix);
		assert_int_equal(policy_route(&granted, &p), cases[i].routable);
		assert_false(policy_route(&other, &p));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(low_ports),	     cmocka_unit_test(bindings_of_others),
		cmocka_unit_test(sockets_of_others), cmocka_unit_test(a_listener_is_not_in_its_own_way),
		cmocka_unit_test(found_among_many),  cmocka_unit_test(sentences),
		cmocka_unit_test(rules_as_text),     cmocka_unit_test(prefixes_that_may_become_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
