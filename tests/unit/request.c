// SPDX-License-Identifier: BSD-2-Clause
/* What the SKL_* variables mean. What is wrong with them: request-malformed.c. */
#include "tests/unit/objects.h"

#include <malloc.h>

#include "helper/rules/request.h"

/* "NAME=value\0NAME=value" with the last NUL, as it comes over the wire. */
#define TEXT(t) (t), sizeof(t)

/* Parses from memory that ends where the text does, so that a sanitizer sees one byte read too much. */
static int parse(const char *text, size_t length, struct request *r, struct say *s)
{
	char *copy = malloc(length ? length : 1);
	int err;

	assert_non_null(copy);
	memcpy(copy, text, length);
	err = request_parse(copy, length, r, s);
	free(copy);
	return err;
}

static void add_ports(char *out, size_t size, const struct port_item *p, const char *before)
{
	size_t used = strlen(out);
	char ports[PORTS_TEXT];

	ports_format(p->first, p->last, ports);
	snprintf(out + used, size - used, "%s%s%s", before, ports,
		 p->protocol == IPPROTO_TCP   ? "/tcp"
		 : p->protocol == IPPROTO_UDP ? "/udp"
					      : "");
}

static void add_prefix(char *out, size_t size, const struct prefix *p)
{
	size_t used = strlen(out);
	char prefix[PREFIX_TEXT];

	prefix_format(p, prefix);
	snprintf(out + used, size - used, " %s", prefix);
}

/* "ports 7 8-9/tcp cidrs ::/0 bind ::1/128|80 for 8080" */
static void show(const struct request *r, char *out, size_t size)
{
	out[0] = '\0';
	strcat(out, r->n_ports ? " ports" : "");
	for (size_t i = 0; i < r->n_ports; i++)
		add_ports(out, size, &r->ports[i], " ");
	strcat(out, r->n_cidrs ? " cidrs" : "");
	for (size_t i = 0; i < r->n_cidrs; i++)
		add_prefix(out, size, &r->cidrs[i]);
	strcat(out, r->n_binds ? " bind" : "");
	for (size_t i = 0; i < r->n_binds; i++) {
		add_prefix(out, size, &r->binds[i].prefix);
		add_ports(out, size, &r->binds[i].ports, "|");
	}
	strcat(out, r->n_only ? " for" : "");
	for (size_t i = 0; i < r->n_only; i++)
		add_ports(out, size, &r->only[i], " ");
}

static void variables_mean(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *means; /* each word after a space */
	} cases[] = {
		{TEXT("SKL_PORTS=7"), " ports 7"},
		{TEXT("SKL_PORTS=7,77,777"), " ports 7 77 777"},
		{TEXT("SKL_PORTS=1,65535"), " ports 1 65535"},
		{TEXT("SKL_PORTS=8000-8099"), " ports 8000-8099"},
		{TEXT("SKL_PORTS=7-7"), " ports 7"},
		{TEXT("SKL_PORTS=*"), " ports *"},
		{TEXT("SKL_PORTS=1-65535"), " ports *"},
		{TEXT("SKL_PORTS=7/tcp,8-9/tcp,*/tcp"), " ports 7/tcp 8-9/tcp */tcp"},
		{TEXT("SKL_PORTS=7,7"), " ports 7 7"},
		{TEXT("SKL_PORTS=010"), " ports 10"}, /* never octal */

		{TEXT("SKL_CIDRS=192.0.2.0/24"), " cidrs 192.0.2.0/24"},
		{TEXT("SKL_CIDRS=192.0.2.1,::1,2001:db8::/64"), " cidrs 192.0.2.1/32 ::1/128 2001:db8::/64"},
		{TEXT("SKL_CIDRS=0.0.0.0/0,::/0"), " cidrs 0.0.0.0/0 ::/0"},
		{TEXT("SKL_CIDRS=::ffff:192.0.2.0/120"), " cidrs 192.0.2.0/24"},

		{TEXT("SKL_BIND=192.0.2.0/24:80"), " bind 192.0.2.0/24|80"},
		{TEXT("SKL_BIND=192.0.2.1:80"), " bind 192.0.2.1/32|80"},
		{TEXT("SKL_BIND=[::1]:80"), " bind ::1/128|80"},
		{TEXT("SKL_BIND=[2001:db8::]/64:*"), " bind 2001:db8::/64|*"},
		{TEXT("SKL_BIND=192.0.2.0/24:80-89,443/tcp [2001:db8::]/64:*"),
		 " bind 192.0.2.0/24|80-89 192.0.2.0/24|443/tcp 2001:db8::/64|*"},
		{TEXT("SKL_BIND=  192.0.2.1:80   [::1]:81 "), " bind 192.0.2.1/32|80 ::1/128|81"},
		{TEXT("SKL_BIND= "), ""},

		{TEXT("SKL_FOR=8080"), " for 8080"},
		{TEXT("SKL_FOR=8080,5353/udp,80/tcp"), " for 8080 5353/udp 80/tcp"},

		{TEXT("SKL_ON_ERROR=fail"), ""},
		{TEXT("SKL_ON_ERROR=warn"), ""},
		{TEXT("SKL_WAIT=5s"), ""},
		{TEXT("SKL_WAIT=500ms"), ""},
		{TEXT("SKL_WAIT=2m"), ""},
		{TEXT("SKL_WAIT=0"), ""},
		{TEXT("SKL_HELPER=/run/skl/helper.sock"), ""},
		{TEXT("SKL_DEBUG=1"), ""},
		{TEXT("SKL_DISABLE=1"), ""},

		{TEXT("SKL_PORTS=7\0SKL_DEBUG=1\0SKL_CIDRS=::1\0SKL_FOR=80\0SKL_BIND=[::1]:9"),
		 " ports 7 cidrs ::1/128 bind ::1/128|9 for 80"},

		/* as getenv(): the first one counts */
		{TEXT("SKL_PORTS=7\0SKL_PORTS=8"), " ports 7"},
		{TEXT("SKL_PORTS=7\0SKL_PORTS=nonsense"), " ports 7"},
		{TEXT("SKL_PORTS=\0SKL_PORTS=8"), ""},
		{TEXT("SKL_CIDRS=::1\0SKL_CIDRS=::2"), " cidrs ::1/128"},
		{TEXT("SKL_BIND=[::1]:1\0SKL_BIND=[::1]:2"), " bind ::1/128|1"},
		{TEXT("SKL_FOR=1\0SKL_FOR=2"), " for 1"},

		/* an empty value is as good as no variable */
		{TEXT("SKL_PORTS=\0SKL_CIDRS=\0SKL_BIND=\0SKL_FOR=\0SKL_SHARE=\0SKL_HOLD=\0SKL_ON_ERROR=\0"
		      "SKL_WAIT=\0SKL_HELPER=\0SKL_DEBUG=\0SKL_DISABLE="),
		 ""},
		{"", 0, ""},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct say s = {0};
		struct request r;
		char shown[256];
		int err = parse(cases[i].text, cases[i].length, &r, &s);

		if (err)
			fail_msg("%s: refused: %s", cases[i].text, s.text);
		show(&r, shown, sizeof(shown));
		if (strcmp(shown, cases[i].means) != 0)
			fail_msg("%s was taken as%s", cases[i].text, shown);
		if (s.length)
			fail_msg("%s: nothing is to be said, but was: %s", cases[i].text, s.text);
		request_free(&r);
	}
}

static void host_bits_are_masked_and_said(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		const char *means, *says;
	} cases[] = {
		{TEXT("SKL_CIDRS=192.0.2.7/24"), " cidrs 192.0.2.0/24",
		 "SKL_CIDRS: 192.0.2.7/24 has bits set beyond its prefix: taken as 192.0.2.0/24"},
		{TEXT("SKL_CIDRS=::1,2001:db8::1/64,192.0.2.7/31"),
		 " cidrs ::1/128 2001:db8::/64 192.0.2.6/31",
		 "SKL_CIDRS: 2001:db8::1/64 has bits set beyond its prefix: taken as 2001:db8::/64\n"
		 "SKL_CIDRS: 192.0.2.7/31 has bits set beyond its prefix: taken as 192.0.2.6/31"},
		{TEXT("SKL_BIND=[2001:db8::1]/64:80,81"), " bind 2001:db8::/64|80 2001:db8::/64|81",
		 "SKL_BIND: 2001:db8::1/64 has bits set beyond its prefix: taken as 2001:db8::/64"},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct say s = {0};
		struct request r;
		char shown[256];

		assert_int_equal(parse(cases[i].text, cases[i].length, &r, &s), 0);
		show(&r, shown, sizeof(shown));
		assert_string_equal(shown, cases[i].means);
		assert_string_equal(s.text, cases[i].says);
		request_free(&r);
	}
}

/* "NAME=" and then as many whole copies of `item` as one request has room for; returns their number. */
static size_t fill(char *out, size_t size, const char *name, const char *item)
{
	size_t n = 0, used = (size_t)snprintf(out, size, "%s=", name), length = strlen(item);

	while (used + length < size) {
		memcpy(out + used, item, length);
		used += length;
		n++;
	}
	out[used - 1] = '\0'; /* for the last separator */
	memset(out + used, 0, size - used);
	return n;
}

static void as_many_items_as_fit(void **state)
{
	static char text[SKL_TEXT_MAX];
	struct say s = {0};
	struct request r;
	size_t n;

	n = fill(text, sizeof(text), "SKL_PORTS", "7,");
	assert_int_equal(parse(text, strlen(text) + 1, &r, &s), 0);
	assert_int_equal(r.n_ports, n);
	assert_int_equal(r.ports[n - 1].first, 7);
	request_free(&r);

	n = fill(text, sizeof(text), "SKL_CIDRS", "::1,");
	assert_int_equal(parse(text, strlen(text) + 1, &r, &s), 0);
	assert_int_equal(r.n_cidrs, n);
	request_free(&r);

	n = fill(text, sizeof(text), "SKL_BIND", "[::]:9 ");
	assert_int_equal(parse(text, strlen(text) + 1, &r, &s), 0);
	assert_int_equal(r.n_binds, n);
	request_free(&r);

	n = fill(text, sizeof(text), "SKL_BIND", "[::]:9,8,7 ");
	assert_int_equal(parse(text, strlen(text) + 1, &r, &s), 0);
	assert_int_equal(r.n_binds, 3 * n);
	assert_int_equal(r.binds[3 * n - 1].ports.first, 7);
	request_free(&r);
	assert_int_equal(s.length, 0);
}

static void remarks_never_overflow(void **state)
{
	static char text[SKL_TEXT_MAX];
	struct say s = {0};
	struct request r;

	fill(text, sizeof(text), "SKL_CIDRS", "192.0.2.7/24,");
	assert_int_equal(parse(text, strlen(text) + 1, &r, &s), 0);
	assert_int_equal(s.length, SKL_SAY_MAX);
	request_free(&r);
}

static void free_leaves_nothing(void **state)
{
	static const char text[] =
		"SKL_PORTS=7,8,9\0SKL_CIDRS=::1\0SKL_BIND=[::1]:9\0SKL_FOR=80\0SKL_PORTS=1";
	struct say s = {0};
	struct request r, empty = {0};
	size_t in_use[2];

	/* the first time the allocator's own caches may still grow */
	for (size_t i = 0; i < COUNT(in_use); i++) {
		for (size_t k = 0; k < 100; k++) {
			assert_int_equal(request_parse(text, sizeof(text), &r, &s), 0);
			request_free(&r);
		}
		in_use[i] = mallinfo2().uordblks;
	}
	assert_int_equal(in_use[0], in_use[1]);
	assert_memory_equal(&r, &empty, sizeof(r));
}

static void SKL_FOR_names_listeners(void **state)
{
	static const struct {
		const char *text;
		size_t length;
		uint16_t port;
		uint8_t protocol;
		bool is_for;
	} cases[] = {
		{TEXT("SKL_PORTS=7"), 80, IPPROTO_TCP, true},
		{TEXT("SKL_FOR=80"), 80, IPPROTO_TCP, true},
		{TEXT("SKL_FOR=80"), 80, IPPROTO_UDP, true},
		{TEXT("SKL_FOR=80"), 81, IPPROTO_TCP, false},
		{TEXT("SKL_FOR=80/tcp"), 80, IPPROTO_TCP, true},
		{TEXT("SKL_FOR=80/tcp"), 80, IPPROTO_UDP, false},
		{TEXT("SKL_FOR=80/udp"), 80, IPPROTO_TCP, false},
		{TEXT("SKL_FOR=80/udp,81"), 80, IPPROTO_UDP, true},
		{TEXT("SKL_FOR=80,81"), 81, IPPROTO_TCP, true},
		{TEXT("SKL_FOR=80/udp,80/tcp"), 80, IPPROTO_TCP, true},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct listener l = listener_of("0.0.0.0", cases[i].port);
		struct say s = {0};
		struct request r;

		l.protocol = cases[i].protocol;
		assert_int_equal(parse(cases[i].text, cases[i].length, &r, &s), 0);
		if (request_is_for(&r, &l) != cases[i].is_for)
			fail_msg("%s, and a listener on port %u", cases[i].text, cases[i].port);
		request_free(&r);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(variables_mean),	cmocka_unit_test(host_bits_are_masked_and_said),
		cmocka_unit_test(as_many_items_as_fit), cmocka_unit_test(remarks_never_overflow),
		cmocka_unit_test(free_leaves_nothing),	cmocka_unit_test(SKL_FOR_names_listeners),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
