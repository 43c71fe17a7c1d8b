// SPDX-License-Identifier: BSD-2-Clause
/* Who may have what: what bind() would have refused is refused, in words that say whose it is. */
#include "tests/unit/policies.h"

#include "helper/rules/policy.h"

#define ROOT 0
#define ME   1000
#define YOU  1001

static struct claimant claimant_of(uint32_t uid, bool may_bind_low, uint32_t first_free)
{
	return (struct claimant){.uid = uid,
				 .gid = uid,
				 .may_bind_low = may_bind_low,
				 .first_free_port = first_free,
				 .first_local_port = 32768,
				 .last_local_port = 60999};
}

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
		const struct claimant who = claimant_of(ME, cases[i].may_bind_low, cases[i].first_free);
		struct rule r = rule_of("0.0.0.0/0", cases[i].ports);
		struct pieces pieces;
		struct rule want = rule_of("0.0.0.0/0", cases[i].gets ? cases[i].gets : cases[i].ports);
		struct say s = {0};
		int err = policy_ports(&who, &r, &pieces, &s);

		if (err != (cases[i].gets ? 0 : -EACCES))
			fail_msg("%s: %d %s", cases[i].name, err, s.text);
		if (pieces.n != (cases[i].gets ? 1 : 0))
			fail_msg("%s: %zu pieces", cases[i].name, pieces.n);
		if (pieces.n && (pieces.at[0].first != want.first || pieces.at[0].last != want.last))
			fail_msg("%s: %u-%u", cases[i].name, pieces.at[0].first, pieces.at[0].last);
		if (cases[i].says ? strncmp(s.text, cases[i].says, strlen(cases[i].says)) != 0 : s.length > 0)
			fail_msg("%s: %s", cases[i].name, s.text);
	}
}

/* "80 1024-65535", and what is said to be missing of "*". */
static void pieces_as_text(const struct pieces *pieces, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < pieces->n; i++) {
		char ports[PORTS_TEXT];

		ports_format(pieces->at[i].first, pieces->at[i].last, ports);
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", ports);
	}
	snprintf(out + used, size - used, "%s%s", pieces->less_local ? " less local" : "",
		 pieces->less_single ? " less single" : "");
}

/* alice is ME, in the groups 100 and 53. */
static void granted_ports(void **state)
{
	static const struct {
		const char *policy, *prefix, *ports, *gets; /* or NULL */
		const char *says;			    /* the refusal, or by which grants */
	} cases[] = {
		{"[a]\nusers = alice\nports = 80", "0.0.0.0/0", "80", "80", "[a]"},
		{"[a]\nusers = alice\nports = 80", "2001:db8::/64", "80", "80", "[a]"},
		{"[a]\nusers = 1000\nports = 80", "0.0.0.0/0", "80", "80", "[a]"},
		{"[a]\nusers = bob\nports = 80", "0.0.0.0/0", "80", NULL,
		 "tcp port 80: Permission denied: uid 1000 may not cover ports below 1024 (grant it in "
		 "/etc/skl/test.conf)"},
		{"[a]\nusers = alice\nports = 80", "0.0.0.0/0", "81", NULL,
		 "tcp port 81: Permission denied: uid 1000 "},
		{"[a]\nusers = alice\nports = 80", "0.0.0.0/0", "8080", "8080", ""},
		{"[a]\nusers = alice\nports = 80-8080", "0.0.0.0/0", "8080", "8080", ""},

		/* groups: the first, a supplementary one, none of his */
		{"[a]\ngroups = 1000\nports = 80", "0.0.0.0/0", "80", "80", "[a]"},
		{"[a]\ngroups = dns\nports = 53", "0.0.0.0/0", "53", "53", "[a]"},
		{"[a]\nusers = bob\ngroups = www-data, users\nports = 80", "0.0.0.0/0", "80", "80", "[a]"},
		{"[a]\ngroups = www-data\nports = 80", "0.0.0.0/0", "80", NULL,
		 "tcp port 80: Permission denied"},

		/* protocols */
		{"[a]\nusers = alice\nports = 80\nprotocols = tcp", "0.0.0.0/0", "80", "80", "[a]"},
		{"[a]\nusers = alice\nports = 80\nprotocols = udp", "0.0.0.0/0", "80", NULL,
		 "tcp port 80: Permission denied: uid 1000 may not cover ports below 1024 "},

		/* addresses */
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.0/8", "10.0.0.0/8", "80", "80", "[a]"},
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.0/8", "10.1.2.3", "80", "80", "[a]"},
		{"[a]\nusers = alice\nports = 80\ncidrs = 2001:db8::/64 10.0.0.0/8", "10.1.2.3", "80", "80",
		 "[a]"},
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.0/8", "0.0.0.0/0", "80", NULL,
		 "tcp port 80: Permission denied: [a] grants port 80 to uid 1000 on 10.0.0.0/8, not on "
		 "0.0.0.0/0 "
		 "(SKL_BIND asks for exact addresses; the grant is in line 1 of /etc/skl/test.conf)"},
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.0/8 11.0.0.0/8", "12.0.0.0/8", "80", NULL,
		 "tcp port 80: Permission denied: [a] grants port 80 to uid 1000 on 10.0.0.0/8 and others, "
		 "not on "},
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.0/8", "::/0", "80", NULL,
		 "tcp port 80: Permission "},
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.0/8", "12.0.0.0/8", "8080", "8080", ""},

		/* several grants add up */
		{"[a]\nusers = alice\nports = 80\n[b]\nusers = alice\nports = 81", "0.0.0.0/0", "80-81",
		 "80-81", "[a] [b]"},
		{"[a]\nusers = alice\nports = 80\n[b]\nusers = bob\nports = 81", "0.0.0.0/0", "80-81", NULL,
		 "tcp ports 80-81: Permission denied: uid 1000 may not cover port 81 of it (grant it in "
		 "/etc/skl/test.conf)"},
		{"[a]\nusers = alice\nports = 82,80,83,81", "0.0.0.0/0", "80-83", "80-83", "[a]"},
		{"[a]\nusers = alice\nports = 80-82\n[b]\nusers = alice\nports = 81-85", "0.0.0.0/0", "80-85",
		 "80-85", "[a] [b]"},
		{"[a]\nusers = alice\nports = 81\n[b]\nusers = alice\nports = 80-85", "0.0.0.0/0", "80-85",
		 "80-85", "[b]"},
		{"[a]\nusers = alice\nports = 1000-1023", "0.0.0.0/0", "1000-2000", "1000-2000", "[a]"},
		{"[a]\nusers = alice\nports = 1000-1022", "0.0.0.0/0", "1000-2000", NULL,
		 "tcp ports 1000-2000: Permission denied: uid 1000 may not cover port 1023 of it "},
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.0/8\n[b]\nusers = alice\nports = 81\ncidrs "
		 "= 10.1.0.0/16",
		 "10.1.0.0/24", "80-81", "80-81", "[a] [b]"},
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.0/8\n[b]\nusers = alice\nports = 81\ncidrs "
		 "= 10.1.0.0/16",
		 "10.2.0.0/24", "80-81", NULL,
		 "tcp ports 80-81: Permission denied: [b] grants port 81 to uid 1000 on 10.1.0.0/16, not "
		 "on "},

		/* "*" is what he may have of it */
		{"[a]\nusers = alice\nports = *", "0.0.0.0/0", "*", "*", "[a]"},
		{"[a]\nusers = alice\nports = 20-22,25-26", "0.0.0.0/0", "*", "20-22 25-26 1024-65535", NULL},
		{"[a]\nusers = alice\nports = 20-22,25,27,1023", "0.0.0.0/0", "*",
		 "20-22 1023-65535 less single", NULL},
		{"[a]\nusers = alice\nports = 80\n[b]\nusers = alice\nports = 81", "0.0.0.0/0", "*",
		 "80-81 1024-65535", NULL},
		{"[a]\nusers = alice\nports = 80-90\ncidrs = 10.0.0.0/8", "0.0.0.0/0", "*", "1024-65535",
		 NULL},
		{"[a]\nusers = alice\nports = 80-90\ncidrs = 10.0.0.0/8", "10.1.0.0/16", "*",
		 "80-90 1024-65535", NULL},
	};
	const uint32_t groups[] = {100, 53};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct claimant who = claimant_of(ME, false, 1024);
		struct rule r = rule_of(cases[i].prefix, cases[i].ports);
		struct policy *policy = policy_of(cases[i].policy);
		struct pieces pieces;
		struct say s = {0};
		char text[200], by[100];
		int err;

		policy->path = "/etc/skl/test.conf";
		who.policy = policy;
		who.groups = groups;
		who.n_groups = COUNT(groups);
		err = policy_ports(&who, &r, &pieces, &s);
		pieces_as_text(&pieces, text, sizeof(text));
		if (err != (cases[i].gets ? 0 : -EACCES) ||
		    strcmp(text, cases[i].gets ? cases[i].gets : "") != 0)
			fail_msg("%zu: %s: %d, %s %s", i, cases[i].policy, err, text, s.text);
		if (err && strncmp(s.text, cases[i].says, strlen(cases[i].says)) != 0)
			fail_msg("%zu: %s: %s", i, cases[i].policy, s.text);
		policy_granted_by(&who, &r, by, sizeof(by));
		if (!err && cases[i].says && strcmp(by, cases[i].says) != 0)
			fail_msg("%zu: %s: by %s", i, cases[i].policy, by);
		policy_free(policy);
	}
}

/* "*" for UDP: without the ports that programs send from, whatever is granted. */
static void every_udp_port(void **state)
{
	static const struct {
		const char *policy;
		bool may_bind_low;
		uint32_t first_free;
		uint16_t first_local, last_local;
		const char *gets;
	} cases[] = {
		{"", true, 1024, 32768, 60999, "1-32767 61000-65535 less local"},
		{"", false, 1024, 32768, 60999, "1024-32767 61000-65535 less local"},
		{"", true, 1024, 32768, 65535, "1-32767 less local"},
		{"", true, 1024, 0, 0, "*"},
		{"", true, 1024, 60999, 32768, "*"},
		{"", false, 40000, 32768, 60999, "61000-65535 less local"},
		{"", false, 62000, 32768, 60999, "62000-65535"},
		{"[a]\nusers = alice\nports = 40000-50000", false, 62000, 32768, 60999,
		 "62000-65535 less local"},
		{"[a]\nusers = alice\nports = 30000-50000,60999-61000", false, 62000, 32768, 60999,
		 "30000-32767 61000 62000-65535 less local"},
		{"[a]\nusers = alice\nports = 53\nprotocols = udp", false, 1024, 32768, 60999,
		 "1024-32767 61000-65535 less local less single"},
		{"[a]\nusers = alice\nports = 53-54\nprotocols = tcp", false, 1024, 32768, 60999,
		 "1024-32767 61000-65535 less local"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct claimant who = claimant_of(ME, cases[i].may_bind_low, cases[i].first_free);
		struct policy *policy = policy_of(cases[i].policy);
		struct rule r = rule_of("0.0.0.0/0", "*");
		struct pieces pieces;
		struct say s = {0};
		char text[200];

		r.protocol = IPPROTO_UDP;
		who.first_local_port = cases[i].first_local;
		who.last_local_port = cases[i].last_local;
		who.policy = policy;
		assert_int_equal(policy_ports(&who, &r, &pieces, &s), 0);
		pieces_as_text(&pieces, text, sizeof(text));
		if (strcmp(text, cases[i].gets) != 0)
			fail_msg("%zu: %s", i, text);
		policy_free(policy);
	}
}

/* Every port by itself, as asked of the whole and of each. */
static void against_a_plain_count(void **state)
{
	static const char text[] = "[a]\nusers = alice\nports = 7,100-199,150-250,300\n"
				   "[b]\ngroups = users\nports = 251-260,900-1100\nprotocols = tcp\n"
				   "[c]\nusers = bob\nports = 261-899\n";
	const uint32_t groups[] = {100};
	struct claimant who = claimant_of(ME, false, 1024);
	struct policy *policy = policy_of(text);
	static bool may[65536];
	struct rule r = rule_of("0.0.0.0/0", "*");
	struct pieces pieces;
	size_t in_pieces = 0, alone = 0, count = 0;

	who.policy = policy;
	who.groups = groups;
	who.n_groups = 1;
	for (unsigned int port = 1; port <= 65535; port++) {
		struct rule one = r;
		struct say s = {0};

		one.first = one.last = (uint16_t)port;
		may[port] = policy_ports(&who, &one, &pieces, &s) == 0;
		if (may[port] != (port == 7 || (port >= 100 && port <= 260) || port == 300 || port >= 900))
			fail_msg("port %u", port);
		count += may[port];
	}
	for (unsigned int first = 1; first < 1200; first += 7) {
		for (unsigned int last = first + 1; last < 1300; last += 11) {
			struct rule range = r;
			struct say s = {0};
			bool all = true;

			range.first = (uint16_t)first;
			range.last = (uint16_t)last;
			for (unsigned int port = first; port <= last; port++)
				all &= may[port];
			assert_int_equal(policy_ports(&who, &range, &pieces, &s), all ? 0 : -EACCES);
		}
	}
	assert_int_equal(policy_ports(&who, &r, &pieces, &(struct say){0}), 0);
	for (size_t i = 0; i < pieces.n; i++)
		in_pieces += pieces.at[i].last - pieces.at[i].first + 1u;
	alone = 2; /* 7 and 300 */
	assert_int_equal(in_pieces + alone, count);
	assert_true(pieces.less_single);
	policy_free(policy);
}

static void too_many_pieces(void **state)
{
	struct claimant who = claimant_of(ME, false, 1024);
	struct rule r = rule_of("0.0.0.0/0", "*");
	char text[4000] = "[a]\nusers = alice\n";
	size_t length = strlen(text);
	struct policy *policy;
	struct pieces pieces;
	struct say s = {0};

	for (int i = 0; i < 127; i++)
		length += (size_t)sprintf(text + length, "ports = %d-%d\n", 4 * i + 1, 4 * i + 2);
	policy = policy_of(text);
	who.policy = policy;
	assert_int_equal(policy_ports(&who, &r, &pieces, &s), 0);
	assert_int_equal(pieces.n, PIECES_MAX);
	policy_free(policy);
	sprintf(text + length, "ports = %d-%d\n", 4 * 127 + 1, 4 * 127 + 2);
	policy = policy_of(text);
	who.policy = policy;
	assert_int_equal(policy_ports(&who, &r, &pieces, &s), -E2BIG);
	assert_string_equal(
		s.text, "tcp ports *: Argument list too long: uid 1000 may have it in more than 128 parts: "
			"name those that count");
	policy_free(policy);
}

static void quotas_of_users(void **state)
{
	static const char text[] = "[a]\nusers = alice bob\nlisteners = 10\nbindings = 7\n"
				   "[b]\ngroups = users\nlisteners = 300\n"
				   "[c]\nusers = alice\nlisteners = 20\nports = 80\n"
				   "[default]\nbindings = 9\nconnections = 3\n";
	const uint32_t groups[] = {53, 100};
	struct policy *policy = policy_of(text);
	struct claimant who = claimant_of(ME, false, 1024);

	assert_int_equal(policy_quota(&who, QUOTA_LISTENERS), UINT32_MAX); /* no policy at all */
	who.policy = policy;
	assert_int_equal(policy_quota(&who, QUOTA_LISTENERS), 20);
	assert_int_equal(policy_quota(&who, QUOTA_BINDINGS), 7); /* less than everybody's: a grant says so */
	assert_int_equal(policy_quota(&who, QUOTA_CONNECTIONS), 3);
	assert_int_equal(policy_quota(&who, QUOTA_REQUESTS), 200);
	who.groups = groups;
	who.n_groups = 2;
	assert_int_equal(policy_quota(&who, QUOTA_LISTENERS), 300);
	who = claimant_of(YOU, false, 1024);
	who.policy = policy;
	assert_int_equal(policy_quota(&who, QUOTA_LISTENERS), 10);
	who = claimant_of(4001, false, 1024);
	who.policy = policy;
	assert_int_equal(policy_quota(&who, QUOTA_LISTENERS), 256);
	assert_int_equal(policy_quota(&who, QUOTA_BINDINGS), 9);
	who = claimant_of(ROOT, true, 1024);
	who.policy = policy;
	for (int q = 0; q < N_QUOTAS; q++)
		assert_int_equal(policy_quota(&who, (enum quota)q), UINT32_MAX);
	policy_free(policy);
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
		const struct claimant who = claimant_of(ME, true, 1024);
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
		const struct claimant who = claimant_of(ME, true, 1024);
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
		/* coming later it is not refused, but shadowed */
		assert_ptr_equal(policy_shadowed(&t, add_binding(&t, l, ME, asked)), conflict.holder);

		t.holders[0].protocol = IPPROTO_UDP;
		assert_false(policy_conflict(&t, &who, l, &asked, &conflict));
		assert_null(policy_shadowed(&t, t.bindings[0]));
		table_clear(&t);
	}
}

/* Every socket of the listener is itself, also one that joined with SO_REUSEPORT; a dead one's cookie is not.
 */
static void a_listener_is_not_in_its_own_way(void **state)
{
	const struct claimant who = claimant_of(ME, true, 1024);
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

/* With takeover, what another user has is no conflict where the grant is for the port, protocol and address.
 */
static void taking_over(void **state)
{
	static const struct {
		const char *name, *policy, *asked, *ports;
		uint32_t uid; /* of what is there */
		bool may;
	} cases[] = {
		{"granted", "ports = 80\ntakeover = yes", "10.0.0.0/8", "80", YOU, true},
		{"root's, too", "ports = 80\ntakeover = yes", "10.0.0.0/8", "80", ROOT, true},
		{"one's own", "ports = 80\ntakeover = yes", "10.0.0.0/8", "80", ME, false},
		{"granted, but not to be taken over", "ports = 80", "10.0.0.0/8", "80", YOU, false},
		{"another port", "ports = 81\ntakeover = yes", "10.0.0.0/8", "80", YOU, false},
		{"another protocol", "ports = 80\nprotocols = udp\ntakeover = yes", "10.0.0.0/8", "80", YOU,
		 false},
		{"inside the addresses", "ports = 80\ncidrs = 10.0.0.0/8\ntakeover = yes", "10.0.0.0/8", "80",
		 YOU, true},
		{"beyond them", "ports = 80\ncidrs = 10.0.0.0/9\ntakeover = yes", "10.0.0.0/8", "80", YOU,
		 false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct claimant who = claimant_of(ME, true, 1024);
		struct rule asked = rule_of(cases[i].asked, cases[i].ports);
		struct holder holder = holder_of(cases[i].asked, 80, cases[i].uid, 500);
		struct table t = {0};
		struct listener *l = mine(&t);
		struct conflict conflict;
		char text[200];
		struct policy *policy;

		snprintf(text, sizeof(text), "[a]\nusers = alice\n%s\n", cases[i].policy);
		policy = policy_of(text);
		who.policy = policy;
		set_holders(&t, &holder, 1, NULL, NULL);
		if (policy_conflict(&t, &who, l, &asked, &conflict) == cases[i].may)
			fail_msg("%s: a socket", cases[i].name);
		set_holders(&t, NULL, 0, NULL, NULL);
		add_binding(&t, t.listeners[0], cases[i].uid, asked);
		if (policy_conflict(&t, &who, l, &asked, &conflict) == cases[i].may)
			fail_msg("%s: a binding", cases[i].name);
		if (cases[i].uid != ME && (policy_takeover(&who, &asked) != NULL) != cases[i].may)
			fail_msg("%s: the grant", cases[i].name);
		policy_free(policy);
		table_clear(&t);
	}
}

/* The one that stands in the way is found among many that do not; a binding is told before a socket. */
static void found_among_many(void **state)
{
	const struct claimant who = claimant_of(ME, true, 1024);
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
		cmocka_unit_test(low_ports),	     cmocka_unit_test(granted_ports),
		cmocka_unit_test(every_udp_port),    cmocka_unit_test(against_a_plain_count),
		cmocka_unit_test(too_many_pieces),   cmocka_unit_test(quotas_of_users),
		cmocka_unit_test(taking_over),	     cmocka_unit_test(bindings_of_others),
		cmocka_unit_test(sockets_of_others), cmocka_unit_test(a_listener_is_not_in_its_own_way),
		cmocka_unit_test(found_among_many),  cmocka_unit_test(sentences),
		cmocka_unit_test(rules_as_text),     cmocka_unit_test(prefixes_that_may_become_local),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
