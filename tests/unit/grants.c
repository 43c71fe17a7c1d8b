// SPDX-License-Identifier: BSD-2-Clause
/* The policy file: what each line says, and that each mistake is named by its line with what would be right.
 */
#include "tests/unit/policies.h"

/* What was told: "LINE SENTENCE\n", with "!" before the number of a mistake. */
struct told {
	char text[16384];
	size_t length;
};

static void tell(void *context, unsigned int line, bool mistake, const char *sentence)
{
	struct told *t = context;
	int n = snprintf(t->text + t->length, sizeof(t->text) - t->length, "%s%u %s\n", mistake ? "!" : "",
			 line, sentence);

	assert_true(n > 0 && (size_t)n < sizeof(t->text) - t->length);
	t->length += (size_t)n;
}

/* The mistakes among what was told, and how many they are. */
static int mistakes(const struct told *t, char *out, size_t size)
{
	const char *line = t->text;
	size_t used = 0;
	int n = 0;

	out[0] = '\0';
	for (; *line; line = strchr(line, '\n') + 1) {
		size_t length = (size_t)(strchr(line, '\n') - line) + 1;

		if (*line != '!')
			continue;
		assert_true(used + length < size);
		memcpy(out + used, line + 1, length - 1);
		used += length - 1;
		out[used] = '\0';
		n++;
	}
	return n;
}

static const char example[] = "; who\n"
			      "[web]\n"
			      "users = alice, 1001\n"
			      "groups = www-data\n"
			      "protocols = tcp            ; tcp, udp\n"
			      "ports = 80,443,8000-8099\n"
			      "cidrs = 192.0.2.0/24 2001:db8::/64\n"
			      "routes = yes\n"
			      "takeover = yes\n"
			      "listeners = 64\n"
			      "bindings = 256\n"
			      "requests-per-second = 50\n"
			      "connections = 16\n"
			      "\n"
			      "[default]\n"
			      "listeners = 5\n";

static void all_that_there_is(void **state)
{
	struct told told = {0};
	struct policy *p;
	const struct grant *g;

	assert_int_equal(grants_parse(example, strlen(example), &some_names, tell, &told, &p), 0);
	assert_int_equal(p->n_grants, 1);
	g = &p->grants[0];
	assert_string_equal(g->name, "web");
	assert_int_equal(g->line, 2);
	assert_int_equal(g->n_users, 2);
	assert_int_equal(g->users[0], 1000);
	assert_int_equal(g->users[1], 1001);
	assert_int_equal(g->n_groups, 1);
	assert_int_equal(g->groups[0], 33);
	assert_true(g->tcp && !g->udp && g->routes && g->takeover);
	assert_int_equal(g->n_ports, 3);
	assert_int_equal(g->ports[1].first, 443);
	assert_int_equal(g->ports[2].first, 8000);
	assert_int_equal(g->ports[2].last, 8099);
	assert_int_equal(g->n_cidrs, 2);
	assert_int_equal(g->cidrs[1].family, AF_INET6);
	assert_int_equal(g->quotas[QUOTA_LISTENERS], 64);
	assert_int_equal(g->quotas[QUOTA_BINDINGS], 256);
	assert_int_equal(g->quotas[QUOTA_REQUESTS], 50);
	assert_int_equal(g->quotas[QUOTA_CONNECTIONS], 16);
	assert_int_equal(p->quotas[QUOTA_LISTENERS], 5);
	assert_int_equal(p->quotas[QUOTA_CONNECTIONS], 32);
	policy_free(p);
	assert_string_equal(told.text, "2 [web]: a grant\n"
				       "3 is for the users alice (uid 1000), uid 1001\n"
				       "4 is for every process with one of the groups www-data (gid 33)\n"
				       "5 its ports are those of tcp\n"
				       "6 ports that may be covered: 80, 443, 8000-8099\n"
				       "7 only on these addresses: 192.0.2.0/24, 2001:db8::/64\n"
				       "8 local routes may be added for these addresses\n"
				       "9 a single one of these ports may be taken from the user who has it\n"
				       "10 quota of each of these users: 64 listeners\n"
				       "11 quota of each of these users: 256 bindings\n"
				       "12 quota of each of these users: 50 requests-per-second\n"
				       "13 quota of each of these users: 16 connections\n"
				       "15 [default]: quotas of every user for whom no grant says them\n"
				       "16 quota of each of these users: 5 listeners\n");
}

/* Ways to write the same: none of them is a mistake. */
static void freedom(void **state)
{
	static const char *const same[] = {
		"[a]\nusers=alice\nports=80,81\n",
		"[a]\nusers = alice\nports = 80 81",
		"[a]\r\nusers = alice\r\nports = 80,\t81\r\n",
		"\xef\xbb\xbf[a]\nusers = alice\nports = 80, 81\n",
		"  [a]  ; one\n\tusers = alice\n\t# two\n\tports = ,80, 81,\n\n\n",
		"[a]\nports = 80\nusers = 1000\nports = 81 ; and one more\n",
		"[a]\nusers : alice\nports = 80,81\nprotocols = udp tcp\ntakeover = no\nroutes = no\n",
		"\n;[b]\n#[c]\n[a]\nusers = alice\nports = 80,81",
	};

	for (size_t i = 0; i < COUNT(same); i++) {
		struct policy *p = policy_of(same[i]);

		if (p->n_grants != 1)
			fail_msg("%zu: %zu grants", i, p->n_grants);
		if (p->grants[0].n_users != 1 || p->grants[0].users[0] != 1000 || p->grants[0].n_ports != 2 ||
		    p->grants[0].ports[0].first != 80 || p->grants[0].ports[1].last != 81 ||
		    !p->grants[0].tcp || !p->grants[0].udp || p->grants[0].n_cidrs != 0)
			fail_msg("%zu: reads otherwise: %s", i, same[i]);
		policy_free(p);
	}
}

static void nothing(void **state)
{
	static const char *const texts[] = {"", "\n", "; nothing\n", "   \n\t\n#\n"};

	for (size_t i = 0; i < COUNT(texts); i++) {
		struct policy *p = policy_of(texts[i]);

		assert_int_equal(p->n_grants, 0);
		assert_int_equal(p->quotas[QUOTA_LISTENERS], 256);
		assert_int_equal(p->quotas[QUOTA_BINDINGS], 4096);
		assert_int_equal(p->quotas[QUOTA_REQUESTS], 200);
		assert_int_equal(p->quotas[QUOTA_CONNECTIONS], 32);
		policy_free(p);
	}
}

/* One mistake in each of these, and nothing else is told to be one. */
static void each_mistake(void **state)
{
	static const struct {
		const char *text, *says; /* begins so */
	} cases[] = {
		/* lines */
		{"users = alice\n", "1 \"users\" stands before the first section: begin one, as [web]"},
		{"[a]\nusers = alice\nports = 80\nhello\n",
		 "4 this is neither [NAME], nor KEY = VALUE, nor a comment, which begins with ;"},
		{"[a]\nusers = alice\nports = 80\nhello", "4 this is neither "},
		{"[a]\nusers = alice\nport = 80\nports = 80\n",
		 "3 \"port\" is no key: there are users, groups, protocols, ports, cidrs, routes, takeover, "
		 "listeners, "
		 "bindings, requests-per-second and connections"},
		{"[a]\nusers = alice\nPorts = 80\nports = 80\n", "3 \"Ports\" is no key: "},
		{"[a]\nusers = alice\n = 80\nports = 80\n", "3 \"\" is no key: "},
		{"[a]\nusers = alice\nports = 80\nports = 81\x01\n",
		 "4 the line has a character that is no text"},
		{"[a]\nusers = alice\nports = 80\n# caf\xc3\xa9 is fine \x1b in here\n[b\x1b]\nusers = bob\n",
		 "5 the line has a character that is no text"},
		{"[a\nusers = alice\nports = 80\n", "1 \"[a\" begins a section: it must end with ]"},
		{"[a] users = alice\nusers = alice\nports = 80\n",
		 "1 after ] the line ends: \"users = alice\" belongs on the next one"},
		{"[]\nusers = alice\nports = 80\n",
		 "1 []: a section's name has 1 to 31 letters, digits and the characters - _ ."},
		{"[a b]\nusers = alice\nports = 80\n", "1 [a b]: a section's name has "},
		{"[0123456789012345678901234567890x]\nusers = alice\nports = 80\n",
		 "1 [0123456789012345678901234567890x]: a section's name has 1 to 31 "},
		{"[a]\nusers = alice\nports = 80\n[b]\nusers = bob\nports = 81\n[a]\nusers = bob\nports = "
		 "82\n",
		 "7 [a] stands in line 1 already: give this one another name"},

		/* who */
		{"[a]\nports = 80\n", "1 [a] names nobody: it needs a line users = NAME or groups = NAME"},
		{"[a]\nusers = alcie\nports = 80\n",
		 "2 there is no user \"alcie\": write a name that `getent passwd` lists, or a number"},
		{"[a]\nusers = alice bob carol\nports = 80\n", "2 there is no user \"carol\": "},
		{"[a]\ngroups = alice\nports = 80\n",
		 "2 there is no group \"alice\": write a name that `getent group` lists, or a number"},
		{"[a]\nusers = slow\nports = 80\n",
		 "2 the user \"slow\" cannot be looked up: Input/output error; a number needs no look"},
		{"[a]\nusers = 4294967295\nports = 80\n",
		 "2 \"4294967295\" is no user: numbers end at 4294967294"},
		{"[a]\ngroups = 99999999999999999999\nports = 80\n",
		 "2 \"99999999999999999999\" is no group: numbers end at 4294967294"},
		{"[a]\nusers = -1\nports = 80\n", "2 there is no user \"-1\": "},
		{"[a]\nusers = *\nports = 80\n", "2 there is no user \"*\": "},
		{"[a]\nusers =\nports = 80\n",
		 "2 nothing stands after the =: write it as users = alice, 1001"},
		{"[a]\nusers = ,\nports = 80\n",
		 "2 nothing stands after the =: write it as users = alice, 1001"},
		{"[a]\ngroups = ; none\nports = 80\n",
		 "2 nothing stands after the =: write it as groups = www-data"},
		{"[a]\nusers = aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nports "
		 "= 80\n",
		 "2 there is no user \"aaaaaaaa"},

		/* what */
		{"[a]\nusers = alice\n",
		 "1 [a] grants nothing: it needs a line ports = 80, or one with a quota"},
		{"[a]\nusers = alice\n\n[b]\nusers = bob\nports = 81\n", "1 [a] grants nothing: "},
		{"[a]\nusers = alice\nprotocols = tcp\n",
		 "1 [a] has protocols, but no ports that are theirs: it needs a line ports = 80"},
		{"[a]\nusers = alice\ntakeover = yes\n",
		 "1 [a] has takeover, but no ports that may be taken over: "},
		{"[a]\nusers = alice\ncidrs = 10.0.0.0/8\n",
		 "1 [a] has cidrs, but nothing that is for them: it needs a line ports = 80 or routes = yes"},
		{"[a]\nusers = alice\nports = 80\nroutes = yes\n",
		 "1 [a] has routes, but no addresses that they may be for: it needs a line cidrs = "
		 "192.0.2.0/24"},
		{"[a]\nusers = alice\nports = 80\nprotocols = sctp\n",
		 "4 \"sctp\" is no protocol: there are tcp and udp"},
		{"[a]\nusers = alice\nports = 80\nprotocols =\n",
		 "4 nothing stands after the =: write it as protocols = tcp"},
		{"[a]\nusers = alice\nports =\n",
		 "3 nothing stands after the =: write it as ports = 80,443,8000-8099"},
		{"[a]\nusers = alice\nports = http\n",
		 "3 \"http\" is not a port, a range of ports or *: write ports as 80,443,8000-8099"},
		{"[a]\nusers = alice\nports = 0\n", "3 \"0\": ports begin at 1: "},
		{"[a]\nusers = alice\nports = 65536\n", "3 \"65536\": ports end at 65535: "},
		{"[a]\nusers = alice\nports = 90-80\n", "3 \"90-80\": the range is reversed: "},
		{"[a]\nusers = alice\nports = 80-\n", "3 \"80-\" is not a port: "},
		{"[a]\nusers = alice\nports = 80/tcp\n",
		 "3 \"80/tcp\": here the protocol is a line of its own, protocols = tcp"},
		{"[a]\nusers = alice\nports = 53/udp\n",
		 "3 \"53/udp\": here the protocol is a line of its own, protocols = udp"},
		{"[a]\nusers = alice\nports = 80\ncidrs = localhost\n",
		 "4 \"localhost\" is no address or prefix: write it as 192.0.2.0/24 or 2001:db8::/64"},
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.0/33\n",
		 "4 \"10.0.0.0/33\" is no address or prefix: "},
		{"[a]\nusers = alice\nports = 80\ncidrs = 10.0.0.1/8\n",
		 "4 \"10.0.0.1/8\" has bits set beyond its prefix: 10.0.0.0/8 is meant, or another length"},
		{"[a]\nusers = alice\nports = 80\ncidrs =\n",
		 "4 nothing stands after the =: write it as cidrs = 192.0.2.0/24 2001:db8::/64"},
		{"[a]\nusers = alice\nports = 80\ntakeover = true\n", "4 takeover = true: write yes or no"},
		{"[a]\nusers = alice\ncidrs = 10.0.0.0/8\nroutes = Yes\n", "4 routes = Yes: write yes or no"},
		{"[a]\nusers = alice\nports = 80\ntakeover =\n", "4 takeover = : write yes or no"},
		{"[a]\nusers = alice\nports = 80\ntakeover = yes\ntakeover = yes\n",
		 "5 takeover was said in this section before: remove one of the two"},

		/* quotas */
		{"[a]\nusers = alice\nlisteners = many\n",
		 "3 listeners = many: write a number from 0 to 1000000"},
		{"[a]\nusers = alice\nlisteners = -1\n",
		 "3 listeners = -1: write a number from 0 to 1000000"},
		{"[a]\nusers = alice\nbindings = 1000001\n",
		 "3 bindings = 1000001: write a number from 0 to 1000000"},
		{"[a]\nusers = alice\nconnections = 0\n",
		 "3 connections = 0: write a number from 1 to 1000000"},
		{"[a]\nusers = alice\nrequests-per-second = 0\n",
		 "3 requests-per-second = 0: write a number from 1 to 1000000"},
		{"[a]\nusers = alice\nbindings = 1\nbindings = 2\n",
		 "4 bindings was said in this section before: remove one of the two"},
		{"[default]\nports = 80\n",
		 "2 ports in [default]: it may hold quotas only (listeners, bindings, "},
		{"[default]\nusers = alice\n", "2 users in [default]: it may hold quotas only "},
		{"[default]\nlisteners = 1\n[default]\nbindings = 1\n",
		 "3 [default] stands in line 1 already: write its quotas there"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct told told = {0};
		struct policy *p = NULL;
		char said[4096];
		int n = grants_parse(cases[i].text, strlen(cases[i].text), &some_names, tell, &told, &p);

		if (n != mistakes(&told, said, sizeof(said)) || n != 1)
			fail_msg("%zu: %d mistakes in\n%s%s", i, n, cases[i].text, said);
		if (strncmp(said, cases[i].says, strlen(cases[i].says)) != 0)
			fail_msg("%zu:\n%s%s", i, cases[i].text, said);
		assert_null(p);
	}
}

static void all_mistakes_at_once(void **state)
{
	static const char text[] = "users = alice\n"
				   "[a]\n"
				   "users = alcie, alice, 1 2 bbo\n"
				   "port = 80\n"
				   "ports = 0,80,http\n"
				   "what is this\n"
				   "[a]\n"
				   "[c\n"
				   "protocols = tcp, icmp\n"
				   "routes = perhaps\n"
				   "listeners = 1.5\n";
	struct told told = {0};
	struct policy *p;
	char said[4096];

	assert_int_equal(grants_parse(text, strlen(text), &some_names, tell, &told, &p), 17);
	assert_int_equal(mistakes(&told, said, sizeof(said)), 17);
	for (const char *line = said; *line; line = strchr(line, '\n') + 1)
		assert_in_range(*line, '1', '9');
	assert_non_null(strstr(said, "1 \"users\" stands before"));
	assert_non_null(strstr(said, "3 there is no user \"alcie\""));
	assert_non_null(strstr(said, "3 there is no user \"bbo\""));
	assert_non_null(strstr(said, "4 \"port\" is no key"));
	assert_non_null(strstr(said, "5 \"0\": ports begin at 1"));
	assert_non_null(strstr(said, "5 \"http\" is not a port"));
	assert_non_null(strstr(said, "6 this is neither"));
	assert_non_null(strstr(said, "7 [a] stands in line 2 already"));
	assert_non_null(strstr(said, "7 [a] names nobody"));
	assert_non_null(strstr(said, "7 [a] grants nothing"));
	assert_non_null(strstr(said, "8 \"[c\" begins a section"));
	assert_non_null(strstr(said, "9 \"icmp\" is no protocol"));
	assert_non_null(strstr(said, "10 routes = perhaps"));
	assert_non_null(strstr(said, "11 listeners = 1.5"));
	assert_non_null(strstr(said, "8 [c] names nobody"));
	assert_non_null(strstr(said, "8 [c] has protocols, but no ports"));
	assert_non_null(strstr(said, "8 [c] has routes, but no addresses"));
}

/* inih takes 200 bytes for a line, of which the ends are its own. */
static void long_lines(void **state)
{
	char text[1000] = "[a]\nusers = alice\nports = 80", long_list[600];
	struct told told = {0};
	struct policy *p;
	size_t length = strlen(text);

	while (length < 17 + 180)
		length += (size_t)sprintf(text + length, ",8%u", (unsigned int)(length % 10));
	p = policy_of(text);
	assert_true(p->grants[0].n_ports > 30);
	policy_free(p);
	while (length < 17 + 250)
		length += (size_t)sprintf(text + length, ",8%u", (unsigned int)(length % 10));
	assert_int_equal(grants_parse(text, strlen(text), &some_names, tell, &told, &p), 2);
	assert_non_null(strstr(
		told.text, "!3 the line is longer than 197 characters: a key may be said again with more\n"));

	/* a comment may be of any length, and what is long is not split into lines that might mean something
	 */
	memset(long_list, 'x', sizeof(long_list));
	long_list[0] = ';';
	snprintf(long_list + 400, 100, " \nusers = bob\nports = 90\n");
	snprintf(text, sizeof(text), "[a]\n%s", long_list);
	p = policy_of(text);
	assert_int_equal(p->grants[0].users[0], 1001);
	policy_free(p);
}

/* A NUL, no end of line, half of everything: the parser is given a length, and stays within. */
static void every_beginning(void **state)
{
	static const char nul[] = "[a]\nusers = alice\0bob\nports = 80\n";
	struct told told = {0};
	struct policy *p;

	for (size_t n = 0; n < sizeof(example); n++) {
		char *copy = malloc(n ? n : 1);

		memcpy(copy, example, n);
		told.length = 0;
		if (grants_parse(copy, n, &some_names, tell, &told, &p) == 0)
			policy_free(p);
		free(copy);
	}
	told = (struct told){0};
	assert_int_equal(grants_parse(nul, sizeof(nul) - 1, &some_names, tell, &told, &p), 2);
	assert_non_null(strstr(told.text, "!2 the line has a character that is no text\n"));
}

static void many_grants(void **state)
{
	char *text = malloc(200000);
	size_t length = 0;
	struct policy *p;

	for (int i = 0; i < 3000; i++)
		length += (size_t)sprintf(text + length, "[g%d]\nusers = %d\nports = %d\n", i, i, i + 1);
	p = policy_of(text);
	assert_int_equal(p->n_grants, 3000);
	assert_int_equal(p->grants[2999].ports[0].first, 3000);
	assert_int_equal(p->grants[1500].users[0], 1500);
	policy_free(p);
	free(text);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_there_is),
		cmocka_unit_test(freedom),
		cmocka_unit_test(nothing),
		cmocka_unit_test(each_mistake),
		cmocka_unit_test(all_mistakes_at_once),
		cmocka_unit_test(long_lines),
		cmocka_unit_test(every_beginning),
		cmocka_unit_test(many_grants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
