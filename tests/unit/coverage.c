// SPDX-License-Identifier: BSD-2-Clause
/* (own address and SKL_CIDRS) x (own port and SKL_PORTS), less what the listener has already, and SKL_BIND.
 */
#include "tests/unit/objects.h"

#include "helper/rules/request.h"

#define TEXT(t) (t), sizeof(t)
#define WIDE	WIDE_ALL
#define OWN	0

/* " 10.0.0.0/8|80-89" for each rule */
static void show(const struct rule *rules, int n, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (int i = 0; i < n && used < size; i++) {
		char prefix[PREFIX_TEXT], ports[PORTS_TEXT];

		prefix_format(&rules[i].prefix, prefix);
		ports_format(rules[i].first, rules[i].last, ports);
		used += (size_t)snprintf(out + used, size - used, " %s|%s", prefix, ports);
	}
}

struct asked {
	const char *address;
	uint16_t port;
	bool v6only;
	const char *text;
	size_t length;
	unsigned int wide; /* WIDE_ bits */
	const char *gets;  /* each rule after a space */
};

static void gets(const struct asked *cases, size_t n_cases)
{
	for (size_t i = 0; i < n_cases; i++) {
		const struct asked *c = &cases[i];
		struct listener l = listener_of(c->address, c->port);
		struct say s = {0};
		struct request r;
		struct rule *rules;
		char shown[512];
		int n;

		l.v6only = c->v6only;
		assert_int_equal(request_parse(c->text, c->length, &r, &s), 0);
		n = request_rules(&r, &l, c->wide, 100, &rules, &s);
		if (n < 0)
			fail_msg("%s at %s: %s", c->text, c->address, s.text);
		show(rules, n, shown, sizeof(shown));
		if (strcmp(shown, c->gets) != 0)
			fail_msg("%s at %s port %u gets%s and not%s", c->text, c->address, c->port, shown,
				 c->gets);
		for (int k = 0; k < n; k++)
			assert_int_equal(rules[k].protocol, IPPROTO_TCP);
		assert_int_equal(s.length, 0);
		free(rules);
		request_free(&r);
	}
}

static void ports_on_the_own_address(void **state)
{
	static const struct asked cases[] = {
		{"0.0.0.0", 7777, false, TEXT("SKL_PORTS=7,77"), WIDE, " 0.0.0.0/0|7 0.0.0.0/0|77"},
		{"127.0.0.1", 7777, false, TEXT("SKL_PORTS=7,77"), WIDE, " 127.0.0.1/32|7 127.0.0.1/32|77"},
		{"::1", 7777, false, TEXT("SKL_PORTS=7"), WIDE, " ::1/128|7"},
		{"::1", 7777, true, TEXT("SKL_PORTS=7"), WIDE, " ::1/128|7"},
		{"::", 7777, false, TEXT("SKL_PORTS=7,77"), WIDE, " ::/0|7 ::/0|77 0.0.0.0/0|7 0.0.0.0/0|77"},
		{"::", 7777, true, TEXT("SKL_PORTS=7,77"), WIDE, " ::/0|7 ::/0|77"},
		{"::ffff:127.0.0.1", 7777, false, TEXT("SKL_PORTS=7"), WIDE, " 127.0.0.1/32|7"},
		{"::ffff:0.0.0.0", 7777, false, TEXT("SKL_PORTS=7"), WIDE, " 0.0.0.0/0|7"},

		/* the own port is the kernel's affair; a range may hold it */
		{"0.0.0.0", 80, false, TEXT("SKL_PORTS=80,81"), WIDE, " 0.0.0.0/0|81"},
		{"0.0.0.0", 80, false, TEXT("SKL_PORTS=80"), WIDE, ""},
		{"0.0.0.0", 80, false, TEXT("SKL_PORTS=80-80"), WIDE, ""},
		{"0.0.0.0", 80, false, TEXT("SKL_PORTS=80-81"), WIDE, " 0.0.0.0/0|80-81"},
		{"0.0.0.0", 80, false, TEXT("SKL_PORTS=*"), WIDE, " 0.0.0.0/0|*"},
		{"::", 80, false, TEXT("SKL_PORTS=80"), WIDE, ""},
		{"::ffff:127.0.0.1", 80, false, TEXT("SKL_PORTS=80"), WIDE, ""},

		/* nothing is asked twice */
		{"127.0.0.1", 80, false, TEXT("SKL_PORTS=7,7,7/tcp,7-8,7-8"), WIDE,
		 " 127.0.0.1/32|7 127.0.0.1/32|7-8"},
		{"0.0.0.0", 80, false, TEXT("SKL_DEBUG=1"), WIDE, ""},
	};

	gets(cases, COUNT(cases));
}

static void cidrs_on_the_own_port(void **state)
{
	static const struct asked cases[] = {
		{"127.0.0.1", 80, false, TEXT("SKL_CIDRS=10.0.0.0/8"), WIDE, " 10.0.0.0/8|80"},
		{"127.0.0.1", 80, false, TEXT("SKL_CIDRS=127.0.0.0/8"), WIDE, " 127.0.0.0/8|80"},
		{"127.0.0.1", 80, false, TEXT("SKL_CIDRS=127.0.0.1,127.0.0.2"), WIDE, " 127.0.0.2/32|80"},
		{"127.0.0.1", 80, false, TEXT("SKL_CIDRS=10.0.0.0/8,10.0.0.0/8"), WIDE, " 10.0.0.0/8|80"},
		{"::ffff:127.0.0.1", 80, false, TEXT("SKL_CIDRS=10.0.0.0/8,::1"), WIDE,
		 " 10.0.0.0/8|80 ::1/128|80"},
		/* bound to every address, it has them already */
		{"0.0.0.0", 80, false, TEXT("SKL_CIDRS=10.0.0.0/8,0.0.0.0/0"), WIDE, ""},
		{"::ffff:0.0.0.0", 80, false, TEXT("SKL_CIDRS=10.0.0.0/8"), WIDE, ""},
		{"::", 80, false, TEXT("SKL_CIDRS=10.0.0.0/8,2001:db8::/64"), WIDE, ""},
		{"::", 80, true, TEXT("SKL_CIDRS=2001:db8::/64"), WIDE, ""},
	};

	gets(cases, COUNT(cases));
}

static void the_product(void **state)
{
	static const struct asked cases[] = {
		{"127.0.0.1", 80, false, TEXT("SKL_PORTS=7,77\0SKL_CIDRS=10.0.0.0/8,192.0.2.1"), WIDE,
		 " 127.0.0.1/32|7 127.0.0.1/32|77 10.0.0.0/8|80 10.0.0.0/8|7 10.0.0.0/8|77"
		 " 192.0.2.1/32|80 192.0.2.1/32|7 192.0.2.1/32|77"},
		{"0.0.0.0", 80, false, TEXT("SKL_PORTS=7\0SKL_CIDRS=10.0.0.0/8"), WIDE,
		 " 0.0.0.0/0|7 10.0.0.0/8|7"},
		{"0.0.0.0", 80, false, TEXT("SKL_PORTS=7\0SKL_CIDRS=0.0.0.0/0"), WIDE, " 0.0.0.0/0|7"},
		{"127.0.0.1", 80, false, TEXT("SKL_PORTS=*\0SKL_CIDRS=10.0.0.0/8"), WIDE,
		 " 127.0.0.1/32|* 10.0.0.0/8|80 10.0.0.0/8|*"},
		{"::1", 80, false, TEXT("SKL_PORTS=7\0SKL_CIDRS=10.0.0.0/8,2001:db8::/64"), WIDE,
		 " ::1/128|7 10.0.0.0/8|80 10.0.0.0/8|7 2001:db8::/64|80 2001:db8::/64|7"},
		{"::", 80, false, TEXT("SKL_PORTS=7\0SKL_CIDRS=10.0.0.0/8"), WIDE,
		 " ::/0|7 0.0.0.0/0|7 10.0.0.0/8|7"},
	};

	gets(cases, COUNT(cases));
}

static void exact_bindings(void **state)
{
	static const struct asked cases[] = {
		{"127.0.0.1", 80, false, TEXT("SKL_BIND=10.0.0.0/8:443,81-89 [2001:db8::]/64:*"), WIDE,
		 " 10.0.0.0/8|443 10.0.0.0/8|81-89"},
		{"::1", 80, false, TEXT("SKL_BIND=10.0.0.0/8:443 [2001:db8::]/64:*"), WIDE,
		 " 10.0.0.0/8|443 2001:db8::/64|*"},
		/* beside the product, not multiplied with it */
		{"127.0.0.1", 80, false, TEXT("SKL_PORTS=7\0SKL_BIND=10.0.0.0/8:443"), WIDE,
		 " 127.0.0.1/32|7 10.0.0.0/8|443"},
		{"127.0.0.1", 80, false, TEXT("SKL_CIDRS=10.0.0.0/8\0SKL_BIND=10.0.0.0/8:80,443"), WIDE,
		 " 10.0.0.0/8|80 10.0.0.0/8|443"},
		{"0.0.0.0", 80, false, TEXT("SKL_BIND=10.0.0.0/8:80,443"), WIDE, " 10.0.0.0/8|443"},
		{"127.0.0.1", 80, false, TEXT("SKL_BIND=127.0.0.1:80"), WIDE, ""},
		{"127.0.0.1", 80, false, TEXT("SKL_BIND=0.0.0.0/0:80"), WIDE, " 0.0.0.0/0|80"},
	};

	gets(cases, COUNT(cases));
}

static void a_further_listener_gets_its_own_address_only(void **state)
{
	static const struct asked cases[] = {
		{"127.0.0.1", 80, false,
		 TEXT("SKL_PORTS=7,80\0SKL_CIDRS=10.0.0.0/8\0SKL_BIND=10.0.0.0/8:443 127.0.0.1:9"), OWN,
		 " 127.0.0.1/32|7"},
		{"::", 80, false, TEXT("SKL_PORTS=7\0SKL_CIDRS=10.0.0.0/8"), OWN, " ::/0|7 0.0.0.0/0|7"},
		{"127.0.0.1", 80, false, TEXT("SKL_CIDRS=10.0.0.0/8"), OWN, ""},
		{"::", 80, false, TEXT("SKL_PORTS=7\0SKL_CIDRS=10.0.0.0/8,2001:db8::/64"), WIDE_IPV6,
		 " ::/0|7 0.0.0.0/0|7 2001:db8::/64|7"},
		{"::", 80, false, TEXT("SKL_PORTS=7\0SKL_CIDRS=10.0.0.0/8,2001:db8::/64"), WIDE_IPV4,
		 " ::/0|7 0.0.0.0/0|7 10.0.0.0/8|7"},
		{"::", 80, false, TEXT("SKL_BIND=10.0.0.0/8:7 [2001:db8::]/64:7"), WIDE_IPV6,
		 " 2001:db8::/64|7"},
		/* not even an error for a family that it cannot serve: these are not its own */
		{"127.0.0.1", 80, false, TEXT("SKL_CIDRS=2001:db8::/64"), OWN, ""},
	};

	gets(cases, COUNT(cases));
}

static void a_family_is_left_out(void **state)
{
	static const struct asked cases[] = {
		{"0.0.0.0", 80, false, TEXT("SKL_PORTS=7\0SKL_CIDRS=2001:db8::/64"), WIDE, " 0.0.0.0/0|7"},
		{"127.0.0.1", 80, false, TEXT("SKL_CIDRS=2001:db8::/64,10.0.0.0/8"), WIDE, " 10.0.0.0/8|80"},
		{"::1", 80, true, TEXT("SKL_CIDRS=2001:db8::/64,10.0.0.0/8"), WIDE, " 2001:db8::/64|80"},
		{"::", 80, true, TEXT("SKL_PORTS=7\0SKL_CIDRS=10.0.0.0/8"), WIDE, " ::/0|7"},
		{"::1", 80, true, TEXT("SKL_PORTS=7\0SKL_BIND=10.0.0.0/8:80"), WIDE, " ::1/128|7"},
	};

	gets(cases, COUNT(cases));
}

static void nothing_remains(void **state)
{
	static const struct {
		const char *address;
		bool v6only;
		const char *text;
		size_t length;
		const char *says;
	} cases[] = {
		{"127.0.0.1", false, TEXT("SKL_CIDRS=2001:db8::/64"), "127.0.0.1:80: "},
		{"0.0.0.0", false, TEXT("SKL_BIND=[2001:db8::]/64:443"), "0.0.0.0:80: "},
		{"0.0.0.0", false, TEXT("SKL_PORTS=80\0SKL_CIDRS=::1"), "0.0.0.0:80: "},
		{"::1", true, TEXT("SKL_CIDRS=10.0.0.0/8,192.0.2.1"), "[::1]:80: "},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct listener l = listener_of(cases[i].address, 80);
		struct rule *rules = (struct rule *)1;
		struct say s = {0};
		struct request r;
		char says[256];

		l.v6only = cases[i].v6only;
		assert_int_equal(request_parse(cases[i].text, cases[i].length, &r, &s), 0);
		assert_int_equal(request_rules(&r, &l, WIDE_ALL, 100, &rules, &s), -EAFNOSUPPORT);
		assert_null(rules);
		snprintf(says, sizeof(says),
			 "%sAddress family not supported by protocol: SKL_CIDRS and SKL_BIND name only "
			 "addresses of a family that this socket does not serve",
			 cases[i].says);
		assert_string_equal(s.text, says);
		request_free(&r);
	}
}

static void no_more_than_the_limit(void **state)
{
	static const char text[] = "SKL_PORTS=80,1,2,3,1,2,3\0SKL_CIDRS=0.0.0.0/0";
	struct listener l = listener_of("0.0.0.0", 80);
	struct say s = {0};
	struct request r;
	struct rule *rules;

	assert_int_equal(request_parse(text, sizeof(text), &r, &s), 0);
	/* what is there already does not count; what comes twice does, once for each address */
	assert_int_equal(request_rules(&r, &l, WIDE_ALL, 12, &rules, &s), 3);
	free(rules);
	assert_int_equal(s.length, 0);
	assert_int_equal(request_rules(&r, &l, WIDE_ALL, 11, &rules, &s), -E2BIG);
	assert_null(rules);
	assert_string_equal(s.text,
			    "0.0.0.0:80: Argument list too long: more than 11 bindings in one request");
	assert_int_equal(request_rules(&r, &l, WIDE_ALL, 0, &rules, &s), -E2BIG);
	request_free(&r);
}

/* Thousands of rules, none lost while the array grows. */
static void many_rules(void **state)
{
	enum { MANY = 3000 };
	struct port_item *ports = calloc(MANY, sizeof(*ports));
	struct request r = {.ports = ports, .n_ports = MANY};
	struct listener l = listener_of("::", 80);
	struct say s = {0};
	struct rule *rules;

	assert_non_null(ports);
	for (size_t i = 0; i < MANY; i++)
		ports[i] = (struct port_item){.first = (uint16_t)(1000 + i), .last = (uint16_t)(1000 + i)};
	assert_int_equal(request_rules(&r, &l, WIDE_ALL, 2 * MANY, &rules, &s), 2 * MANY);
	for (size_t i = 0; i < 2 * MANY; i++) {
		assert_int_equal(rules[i].first, 1000 + i % MANY);
		assert_int_equal(rules[i].prefix.family, i < MANY ? AF_INET6 : AF_INET);
	}
	free(rules);
	free(ports);
}

static void items_of_the_other_protocol_are_not_meant(void **state)
{
	struct port_item ports[] = {{1, 1, IPPROTO_TCP}, {2, 2, IPPROTO_UDP}, {3, 3, 0}};
	struct bind_item binds[] = {{prefix_of("10.0.0.0/8"), {4, 4, IPPROTO_TCP}},
				    {prefix_of("10.0.0.0/8"), {5, 5, IPPROTO_UDP}}};
	struct request r = {.ports = ports, .n_ports = 3, .binds = binds, .n_binds = 2};
	static const char *const gets_by_protocol[] = {" 127.0.0.1/32|1 127.0.0.1/32|3 10.0.0.0/8|4",
						       " 127.0.0.1/32|2 127.0.0.1/32|3 10.0.0.0/8|5"};

	for (size_t udp = 0; udp < 2; udp++) {
		struct listener l = listener_of("127.0.0.1", 80);
		struct say s = {0};
		struct rule *rules;
		char shown[256];
		int n;

		l.protocol = udp ? IPPROTO_UDP : IPPROTO_TCP;
		n = request_rules(&r, &l, WIDE_ALL, 100, &rules, &s);
		show(rules, n, shown, sizeof(shown));
		assert_string_equal(shown, gets_by_protocol[udp]);
		for (int i = 0; i < n; i++)
			assert_int_equal(rules[i].protocol, l.protocol);
		free(rules);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_on_the_own_address),
		cmocka_unit_test(cidrs_on_the_own_port),
		cmocka_unit_test(the_product),
		cmocka_unit_test(exact_bindings),
		cmocka_unit_test(a_further_listener_gets_its_own_address_only),
		cmocka_unit_test(a_family_is_left_out),
		cmocka_unit_test(nothing_remains),
		cmocka_unit_test(no_more_than_the_limit),
		cmocka_unit_test(many_rules),
		cmocka_unit_test(items_of_the_other_protocol_are_not_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
