// SPDX-License-Identifier: BSD-2-Clause
/* The registry: what is put in is found, what is taken out is gone, and whose ports changed is told. */
#include "tests/unit/objects.h"

static void listeners_and_bindings_come_and_go(void **state)
{
	struct table t = {0};
	struct listener *l[20];
	struct binding *b[20];

	for (size_t i = 0; i < 20; i++) {
		l[i] = add_listener(&t, "0.0.0.0", (uint16_t)(i + 1), 0);
		b[i] = add_binding(&t, l[i], 0, rule_of("0.0.0.0/0", "80"));
	}
	/* every third, in the middle, at the start and at the end */
	for (size_t i = 0; i < 20; i += 3) {
		table_remove_binding(&t, b[i]);
		table_remove_listener(&t, l[i]);
	}
	assert_int_equal(t.n_listeners, 13);
	assert_int_equal(t.n_bindings, 13);
	for (size_t i = 0, k = 0; i < 20; i++) {
		if (i % 3 == 0)
			continue;
		assert_ptr_equal(t.listeners[k], l[i]);
		assert_ptr_equal(t.bindings[k], b[i]);
		k++;
	}
	/* it grows again where it has shrunk */
	for (size_t i = 0; i < 100; i++)
		add_binding(&t, t.listeners[0], 0, rule_of("0.0.0.0/0", "80"));
	assert_int_equal(t.n_bindings, 113);
	while (t.n_bindings)
		table_remove_binding(&t, t.bindings[t.n_bindings / 2]);
	while (t.n_listeners)
		table_remove_listener(&t, t.listeners[0]);
	add_listener(&t, "0.0.0.0", 80, 0);
	table_clear(&t);
	assert_int_equal(t.n_listeners, 0);
	assert_null(t.listeners);
	table_clear(&t); /* also of nothing */
}

static void cookies_are_found_while_they_live(void **state)
{
	struct table t = {0};
	struct listener *a = add_listener(&t, "0.0.0.0", 80, 0); /* cookie 101 */
	struct listener *b = add_listener(&t, "::", 80, 0);	 /* cookie 102 */

	for (uint64_t cookie = 200; cookie < 210; cookie++) {
		struct member m = {.cookie = cookie};

		assert_int_equal(listener_add_member(b, &m), 0);
	}
	assert_int_equal(b->n_members, 11);
	assert_ptr_equal(table_find_cookie(&t, 101), a);
	assert_ptr_equal(table_find_cookie(&t, 102), b);
	assert_ptr_equal(table_find_cookie(&t, 209), b);
	assert_null(table_find_cookie(&t, 210));
	assert_ptr_equal(listener_find_cookie(b, 205), &b->members[6]);
	assert_null(listener_find_cookie(a, 205));

	b->members[6].dead = true;
	assert_null(listener_find_cookie(b, 205));
	assert_null(table_find_cookie(&t, 205));
	table_clear(&t);
}

static void what_a_listener_serves(void **state)
{
	static const struct {
		const char *address;
		bool v6only, serves4, serves6;
		const char *own, *own_too, *text;
	} cases[] = {
		{"0.0.0.0", false, true, false, "0.0.0.0/0", NULL, "0.0.0.0:80"},
		{"192.0.2.1", false, true, false, "192.0.2.1/32", NULL, "192.0.2.1:80"},
		{"::", false, true, true, "::/0", "0.0.0.0/0", "[::]:80"},
		{"::", true, false, true, "::/0", NULL, "[::]:80"},
		{"2001:db8::1", false, true, true, "2001:db8::1/128", NULL, "[2001:db8::1]:80"},
		{"2001:db8::1", true, false, true, "2001:db8::1/128", NULL, "[2001:db8::1]:80"},
		{"::ffff:192.0.2.1", false, true, true, "192.0.2.1/32", NULL, "[::ffff:192.0.2.1]:80"},
		{"::ffff:0.0.0.0", false, true, true, "0.0.0.0/0", NULL, "[::ffff:0.0.0.0]:80"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct listener l = listener_of(cases[i].address, 80);
		struct prefix own[2];
		char text[LISTENER_TEXT];
		size_t n;

		l.v6only = cases[i].v6only;
		assert_int_equal(listener_serves(&l, AF_INET), cases[i].serves4);
		assert_int_equal(listener_serves(&l, AF_INET6), cases[i].serves6);
		n = listener_own_prefixes(&l, own);
		assert_int_equal(n, cases[i].own_too ? 2 : 1);
		prefix_format(&own[0], text);
		assert_string_equal(text, cases[i].own);
		if (n == 2) {
			prefix_format(&own[1], text);
			assert_string_equal(text, cases[i].own_too);
		}
		listener_format(&l, text);
		assert_string_equal(text, cases[i].text);
	}
}

static void ports_as_text(void **state)
{
	static const struct {
		uint16_t first, last;
		const char *text;
	} cases[] = {
		{1, 1, "1"},	       {65535, 65535, "65535"},
		{80, 89, "80-89"},     {1, 65535, "*"},
		{0, 65535, "*"},       {2, 65535, "2-65535"},
		{1, 65534, "1-65534"}, {65534, 65535, "65534-65535"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char text[PORTS_TEXT];

		ports_format(cases[i].first, cases[i].last, text);
		assert_string_equal(text, cases[i].text);
	}
}

/* " 22 udp:53" in the order of the calls */
static void note_change(void *context, uint8_t protocol, uint16_t port)
{
	char *out = context;
	size_t used = strlen(out);

	snprintf(out + used, 256 - used, " %s%u", protocol == IPPROTO_UDP ? "udp:" : "", port);
}

static struct holder udp(struct holder h)
{
	h.protocol = IPPROTO_UDP;
	return h;
}

static void only_changed_ports_are_told(void **state)
{
	const struct holder ssh4 = holder_of("0.0.0.0/0", 22, 0, 1), ssh6 = holder_of("::/0", 22, 0, 2);
	const struct holder dns = holder_of("127.0.0.1", 53, 0, 3), web = holder_of("0.0.0.0/0", 80, 33, 4);
	const struct holder web_there = holder_of("127.0.0.1", 80, 33, 5),
			    last = holder_of("::1", 65535, 0, 6);
	const struct holder first = holder_of("::1", 1, 0, 7), web_again = holder_of("0.0.0.0/0", 80, 33, 8);
	const struct {
		const char *name;
		struct holder holders[6];
		size_t n;
		const char *changes; /* against those of the row above */
	} cases[] = {
		{"the first ones", {web, ssh4, dns}, 3, " 22 53 80"},
		{"the same", {web, ssh4, dns}, 3, ""},
		{"in another order", {ssh4, dns, web}, 3, ""},
		{"a second family", {ssh4, dns, web, ssh6}, 4, " 22"},
		{"a second address", {ssh4, dns, web, ssh6, web_there}, 5, " 80"},
		{"another address", {ssh4, dns, web_there, ssh6}, 4, " 80"},
		{"both ends", {ssh4, dns, web_there, ssh6, first, last}, 6, " 1 65535"},
		{"one goes, one comes", {ssh4, web, ssh6, first, last}, 5, " 53 80"},
		{"another socket in its place", {ssh4, web_again, ssh6, first, last}, 5, ""},
		{"another protocol", {ssh4, udp(web), ssh6, first, last}, 5, " 80 udp:80"},
		{"one address less", {udp(web), ssh6, first}, 3, " 22 65535"},
		{"only others", {dns}, 1, " 1 22 53 udp:80"},
		{"none", {dns}, 0, " 53"},
		{"still none", {dns}, 0, ""},
	};
	struct table t = {0};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char changes[256] = "";

		set_holders(&t, cases[i].holders, cases[i].n, note_change, changes);
		if (strcmp(changes, cases[i].changes) != 0)
			fail_msg("%s:%s and not%s", cases[i].name, changes, cases[i].changes);
		assert_int_equal(t.n_holders, cases[i].n);
	}
	set_holders(&t, &dns, 1, NULL, NULL); /* nobody asks */
	assert_int_equal(t.holders[0].port, 53);
	table_clear(&t);
}

struct changed {
	bool at[2][64];
	size_t calls;
};

static void mark_change(void *context, uint8_t protocol, uint16_t port)
{
	struct changed *c = context;

	c->at[protocol == IPPROTO_UDP][port] = true;
	c->calls++;
}

static bool in_list(const struct holder *h, const struct holder *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (list[i].port == h->port && list[i].protocol == h->protocol &&
		    prefix_same(&list[i].prefix, &h->prefix))
			return true;
	}
	return false;
}

/* Against the plain statement: a port changed when one list has a holder there that the other has not. */
static void random_changes_are_told_once_each(void **state)
{
	static const char *const prefixes[] = {"0.0.0.0/0", "127.0.0.1", "127.0.0.2", "::/0", "::1"};
	struct holder old[24], new[24];
	size_t n_old = 0;
	struct table t = {0};

	srandom(3);
	for (size_t i = 0; i < 5000; i++) {
		struct changed got = {0}, want = {0};
		size_t n_new = 0, most = (size_t)random() % COUNT(new);

		for (size_t k = 0; k < most; k++) { /* no holder is there twice: sockets that share are one */
			struct holder h = holder_of(prefixes[random() % 5], (uint16_t)(random() % 8), 0, 0);

			if (random() % 4 == 0)
				h = udp(h);
			if (!in_list(&h, new, n_new))
				new[n_new++] = h;
		}
		for (size_t k = 0; k < n_old; k++) {
			if (!in_list(&old[k], new, n_new))
				want.at[old[k].protocol == IPPROTO_UDP][old[k].port] = true;
		}
		for (size_t k = 0; k < n_new; k++) {
			if (!in_list(&new[k], old, n_old))
				want.at[new[k].protocol == IPPROTO_UDP][new[k].port] = true;
		}
		for (size_t k = 0; k < 128; k++)
			want.calls += want.at[k / 64][k % 64];
		set_holders(&t, new, n_new, mark_change, &got);
		assert_memory_equal(got.at, want.at, sizeof(got.at));
		assert_int_equal(got.calls, want.calls);
		memcpy(old, new, sizeof(old));
		n_old = n_new;
	}
	table_clear(&t);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(listeners_and_bindings_come_and_go),
		cmocka_unit_test(cookies_are_found_while_they_live),
		cmocka_unit_test(what_a_listener_serves),
		cmocka_unit_test(ports_as_text),
		cmocka_unit_test(only_changed_ports_are_told),
		cmocka_unit_test(random_changes_are_told_once_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
