// SPDX-License-Identifier: BSD-2-Clause
/* Prefixes: what text means, what is no prefix, and which addresses one holds. */
#include "tests/unit/objects.h"

/* Parses from memory that ends where the text does, so that a sanitizer sees one byte read too much. */
static int parse(const char *text, size_t length, struct prefix *out, bool *masked)
{
	char *copy = malloc(length ? length : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, length);
	err = prefix_parse(copy, length, out, masked);
	free(copy);
	return err;
}

static void text_means_a_prefix(void **state)
{
	static const struct {
		const char *text, *means;
		bool masked;
	} cases[] = {
		{"192.0.2.0/24", "192.0.2.0/24", false},
		{"192.0.2.1", "192.0.2.1/32", false},
		{"0.0.0.0/0", "0.0.0.0/0", false},
		{"0.0.0.0", "0.0.0.0/32", false},
		{"128.0.0.0/1", "128.0.0.0/1", false},
		{"10.0.0.254/31", "10.0.0.254/31", false},
		{"2001:db8::/32", "2001:db8::/32", false},
		{"2001:DB8:0::/48", "2001:db8::/48", false},
		{"::1", "::1/128", false},
		{"::/0", "::/0", false},
		{"::", "::/128", false},
		{"2001:db8::fffe/127", "2001:db8::fffe/127", false},

		/* host bits */
		{"192.0.2.1/24", "192.0.2.0/24", true},
		{"255.255.255.255/0", "0.0.0.0/0", true},
		{"255.255.255.255/1", "128.0.0.0/1", true},
		{"255.255.255.255/7", "254.0.0.0/7", true},
		{"255.255.255.255/8", "255.0.0.0/8", true},
		{"255.255.255.255/9", "255.128.0.0/9", true},
		{"255.255.255.255/31", "255.255.255.254/31", true},
		{"255.255.255.255/32", "255.255.255.255/32", false},
		{"2001:db8::1/64", "2001:db8::/64", true},
		{"ffff::/10", "ffc0::/10", true},
		{"::ffff/127", "::fffe/127", true},

		/* IPv4-mapped */
		{"::ffff:192.0.2.1", "192.0.2.1/32", false},
		{"::ffff:192.0.2.0/120", "192.0.2.0/24", false},
		{"::FFFF:c000:0201/128", "192.0.2.1/32", false},
		{"::ffff:0:0/96", "0.0.0.0/0", false},
		{"::ffff:192.0.2.1/96", "0.0.0.0/0", true},
		{"::ffff:192.0.2.1/121", "192.0.2.0/25", true},
		{"::ffff:0:0/95", "::fffe:0:0/95", true}, /* holds more than IPv4 */

		/* the longest text there is */
		{"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/128",
		 "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		char shown[PREFIX_TEXT];
		struct prefix p;
		bool masked;

		if (parse(cases[i].text, strlen(cases[i].text), &p, &masked) != 0)
			fail_msg("%s was refused", cases[i].text);
		prefix_format(&p, shown);
		if (strcmp(shown, cases[i].means) != 0 || masked != cases[i].masked)
			fail_msg("%s was taken as %s, masked %d", cases[i].text, shown, masked);
	}
}

static void other_text_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"/",
		"/24",
		"*",
		"localhost",
		"lo",

		"192.0.2.0/",
		"192.0.2.0/33",
		"192.0.2.0/256",
		"192.0.2.0/1000",
		"192.0.2.0/4294967304",
		"192.0.2.0/-1",
		"192.0.2.0/+8",
		"192.0.2.0/ 8",
		"192.0.2.0/8 ",
		"192.0.2.0/08",
		"192.0.2.0/00",
		"192.0.2.0/8/8",
		"192.0.2.0/8,",
		"192.0.2.0/x",
		"192.0.2.0/2x",
		"192.0.2.0/0x8",
		"192.0.2.0/255.255.255.0",
		"192.0.2.0//24",

		"192",
		"3221225985",
		"192.0.2",
		"192.0.2.",
		"192.0.2.0.0",
		"192.0.2.256",
		"192.0.2.-1",
		"192.0.2.0x1",
		" 192.0.2.0",
		"192.0.2.0 ",
		"192.0.2.0\n",
		"192,0.2.0",

		"2001:db8::/129",
		"2001:db8::/",
		"2001:db8:::/32",
		"2001::db8::/32",
		":",
		":::",
		"1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"12345::",
		"g::",
		"[::1]",
		"fe80::1%lo",
		"::ffff:192.0.2.256",
		"::ffff:192.0.2.1/129",
		"::ffff:192.0.2.0/24x",

		"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255/0128",
		"192.0.2.0/24                                        ",
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix p;
		bool masked;

		if (parse(cases[i], strlen(cases[i]), &p, &masked) != -EINVAL)
			fail_msg("\"%s\" was not refused", cases[i]);
	}
}

static void length_ends_the_text(void **state)
{
	static const char text[] = "192.0.2.0/241\0";
	static char long_text[4096];
	struct prefix p;
	bool masked;

	assert_int_equal(parse(text, 12, &p, &masked), 0);
	assert_int_equal(p.length, 24);
	assert_int_equal(parse(text, 11, &p, &masked), 0);
	assert_int_equal(p.length, 2);
	assert_int_equal(parse(text, 10, &p, &masked), -EINVAL);
	assert_int_equal(parse(text, 0, &p, &masked), -EINVAL);
	/* a NUL inside would hide what follows it */
	assert_int_equal(parse("192.0.2.0\0/24", 13, &p, &masked), -EINVAL);
	assert_int_equal(parse("192.0.2.0/24\0", 13, &p, &masked), -EINVAL);

	memset(long_text, '1', sizeof(long_text));
	assert_int_equal(parse(long_text, sizeof(long_text), &p, &masked), -EINVAL);
	assert_int_equal(parse(long_text, PREFIX_TEXT, &p, &masked), -EINVAL);
}

static void covers_and_overlaps(void **state)
{
	static const struct {
		const char *a, *b;
		bool a_covers_b, b_covers_a;
	} cases[] = {
		{"10.0.0.0/8", "10.0.0.0/8", true, true},
		{"10.0.0.0/8", "10.1.0.0/16", true, false},
		{"10.0.0.0/8", "10.255.255.255", true, false},
		{"10.0.0.0/8", "11.0.0.0", false, false},
		{"10.0.0.0/7", "11.0.0.0", true, false},
		{"10.0.0.0/15", "10.1.0.0/16", true, false},
		{"10.0.0.0/16", "10.1.0.0/16", false, false},
		{"0.0.0.0/0", "255.255.255.255", true, false},
		{"0.0.0.0/0", "128.0.0.0/1", true, false},
		{"0.0.0.0/1", "128.0.0.0/1", false, false},
		{"192.0.2.1", "192.0.2.1", true, true},
		{"192.0.2.1", "192.0.2.0", false, false},
		{"192.0.2.0/31", "192.0.2.1", true, false},
		{"2001:db8::/32", "2001:db8:ffff::/48", true, false},
		{"2001:db8::/33", "2001:db8:8000::/48", false, false},
		{"2001:db8::/127", "2001:db8::1", true, false},
		{"2001:db8::", "2001:db8::1", false, false},
		{"::/0", "2001:db8::1", true, false},
		/* never across families */
		{"0.0.0.0/0", "::/0", false, false},
		{"::/0", "10.0.0.0/8", false, false},
		{"::/96", "0.0.0.0/0", false, false},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct prefix a = prefix_of(cases[i].a), b = prefix_of(cases[i].b);
		bool ab = cases[i].a_covers_b, ba = cases[i].b_covers_a;

		if (prefix_covers(&a, &b) != ab || prefix_covers(&b, &a) != ba ||
		    prefix_overlaps(&a, &b) != (ab || ba) || prefix_overlaps(&b, &a) != (ab || ba) ||
		    prefix_same(&a, &b) != (ab && ba))
			fail_msg("%s and %s", cases[i].a, cases[i].b);
	}
}

/* Bit for bit, as one would say it. */
static bool naive_covers(const struct prefix *wide, const struct prefix *narrow)
{
	if (wide->family != narrow->family || wide->length > narrow->length)
		return false;
	for (unsigned int bit = 0; bit < wide->length; bit++) {
		if ((wide->address[bit / 8] >> (7 - bit % 8) & 1) !=
		    (narrow->address[bit / 8] >> (7 - bit % 8) & 1))
			return false;
	}
	return true;
}

static void any_prefix_survives_its_text(void **state)
{
	struct prefix last = prefix_of("::/0");

	srandom(1);
	for (size_t i = 0; i < 20000; i++) {
		struct prefix p = {.family = random() % 2 ? AF_INET : AF_INET6}, again;
		size_t bytes = p.family == AF_INET ? 4 : 16;
		char shown[PREFIX_TEXT];
		bool masked;

		p.length = (uint8_t)(random() % (long)(8 * bytes + 1));
		for (unsigned int bit = 0; bit < p.length;
		     bit++) /* few bits differ, so that some cover others */
			p.address[bit / 8] |= (uint8_t)((random() % 8 == 0) << (7 - bit % 8));
		prefix_format(&p, shown);
		if (parse(shown, strlen(shown), &again, &masked) != 0 || masked || !prefix_same(&p, &again))
			fail_msg("%s", shown);
		if (prefix_covers(&p, &last) != naive_covers(&p, &last) ||
		    prefix_covers(&last, &p) != naive_covers(&last, &p))
			fail_msg("%s and the one before", shown);
		last = p;
	}
}

static void bound_addresses(void **state)
{
	static const struct {
		const char *address, *host, *bound;
	} cases[] = {
		{"127.0.0.1", "127.0.0.1/32", "127.0.0.1/32"},
		{"0.0.0.0", "0.0.0.0/32", "0.0.0.0/0"},
		{"::1", "::1/128", "::1/128"},
		{"::", "::/128", "::/0"},
		{"::ffff:127.0.0.1", "127.0.0.1/32", "127.0.0.1/32"},
		{"::ffff:0.0.0.0", "0.0.0.0/32", "0.0.0.0/0"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct listener l = listener_of(cases[i].address, 80);
		struct prefix host = prefix_host(l.family, l.address);
		struct prefix bound = prefix_bound(l.family, l.address);
		char text[2][PREFIX_TEXT];

		prefix_format(&host, text[0]);
		prefix_format(&bound, text[1]);
		assert_string_equal(text[0], cases[i].host);
		assert_string_equal(text[1], cases[i].bound);
	}
	for (size_t i = 0; i < 2; i++) {
		struct prefix any = prefix_any(i ? AF_INET : AF_INET6),
			      text = prefix_of(i ? "0.0.0.0/0" : "::/0");

		assert_true(prefix_same(&any, &text));
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_means_a_prefix),		cmocka_unit_test(other_text_is_refused),
		cmocka_unit_test(length_ends_the_text),		cmocka_unit_test(covers_and_overlaps),
		cmocka_unit_test(any_prefix_survives_its_text), cmocka_unit_test(bound_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
