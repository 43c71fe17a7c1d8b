// SPDX-License-Identifier: BSD-2-Clause
/*
 * Random bindings and sockets: what table_rows() and binding_left_out_text()
 * say of each port against the precedence rule as one would state it, packet
 * by packet, without runs, sorting or searching.
 */
#include "tests/unit/objects.h"

#define CASES	  4000
#define LOW_PORTS 24 /* where most of it happens; and at the upper end */
#define HIGH	  65530

static const char *const prefixes[2][8] = {
	{"0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3", "10.2.0.0/16", "127.0.0.1",
	 "128.0.0.0/1"},
	{"::/0", "2001:db8::/32", "2001:db8::/48", "2001:db8::/64", "2001:db8::1", "2001:db8:1::/48", "::1",
	 "8000::/1"},
};

static const char *const addresses[2][7] = {
	{"10.1.2.3", "10.1.2.4", "10.1.9.9", "10.2.0.1", "10.9.9.9", "127.0.0.1", "192.0.2.1"},
	{"2001:db8::1", "2001:db8::2", "2001:db8:0:9::1", "2001:db8:1::1", "2001:db9::1", "::1", "fe80::1"},
};

static struct prefix all_prefixes[2][8], all_addresses[2][7];
static const int families[2] = {AF_INET, AF_INET6};

static int make_prefixes(void **state)
{
	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < COUNT(all_prefixes[f]); i++)
			all_prefixes[f][i] = prefix_of(prefixes[f][i]);
		for (size_t i = 0; i < COUNT(all_addresses[f]); i++)
			all_addresses[f][i] = prefix_of(addresses[f][i]);
	}
	return 0;
}

static unsigned int below(unsigned int n)
{
	return (unsigned int)random() % n;
}

static uint16_t some_port(void)
{
	return (uint16_t)(below(8) ? 1 + below(LOW_PORTS) : HIGH + below(6));
}

static struct rule some_rule(void)
{
	struct rule r = {.prefix = all_prefixes[below(3) == 0][below(8)],
			 .protocol = below(8) ? IPPROTO_TCP : IPPROTO_UDP};
	uint16_t a = some_port(), b = some_port();

	r.first = a < b ? a : b;
	r.last = a < b ? b : a;
	if (below(3) == 0)
		r.last = r.first;
	if (below(5) == 0)
		r = (struct rule){.prefix = r.prefix, .first = 1, .last = 65535, .protocol = r.protocol};
	return r;
}

static void make(struct table *t)
{
	struct holder holders[6];
	unsigned int n_listeners = 1 + below(4), n_bindings = below(9), n_holders = below(6);

	for (unsigned int i = 0; i < n_listeners; i++)
		add_listener(t, "::", some_port(), 0);
	for (unsigned int i = 0; i < n_bindings; i++)
		add_binding(t, t->listeners[below(n_listeners)], 1000 + below(3), some_rule());
	for (unsigned int i = 0; i < n_holders; i++) {
		struct rule r = some_rule();

		holders[i] = (struct holder){.prefix = r.prefix, .port = r.first, .protocol = r.protocol};
	}
	set_holders(t, holders, n_holders, NULL, NULL);
}

/* Longest prefix, then the narrowest ports, then the oldest. */
static bool better(const struct binding *a, const struct binding *b)
{
	int width_a = a->rule.last - a->rule.first, width_b = b->rule.last - b->rule.first;

	if (a->rule.prefix.length != b->rule.prefix.length)
		return a->rule.prefix.length > b->rule.prefix.length;
	if (width_a != width_b)
		return width_a < width_b;
	return a->id < b->id;
}

static bool has(const struct binding *b, uint8_t protocol, uint16_t port)
{
	return b->rule.protocol == protocol && b->rule.first <= port && port <= b->rule.last;
}

/* A range gives way to a socket there, and to what another user had before wherever it would win over that.
 */
static bool gives_way(const struct table *t, const struct binding *b, uint16_t port)
{
	if (b->rule.first == b->rule.last)
		return false;
	for (size_t i = 0; i < t->n_holders; i++) {
		const struct holder *h = &t->holders[i];

		if (h->protocol == b->rule.protocol && h->port == port &&
		    prefix_overlaps(&h->prefix, &b->rule.prefix))
			return true;
	}
	for (size_t i = 0; i < t->n_bindings; i++) {
		const struct binding *o = t->bindings[i];

		if (has(o, b->rule.protocol, port) && o->uid != b->uid && o->id < b->id &&
		    prefix_overlaps(&o->rule.prefix, &b->rule.prefix) && better(b, o))
			return true;
	}
	return false;
}

static const struct binding *who_gets(const struct table *t, uint8_t protocol, uint16_t port,
				      const struct prefix *address)
{
	const struct binding *best = NULL;

	for (size_t i = 0; i < t->n_bindings; i++) {
		const struct binding *b = t->bindings[i];

		if (has(b, protocol, port) && prefix_covers(&b->rule.prefix, address) &&
		    !gives_way(t, b, port) && (!best || better(b, best)))
			best = b;
	}
	return best;
}

/* It gives way, or another listener wins the very same prefix there. */
static bool left_out(const struct table *t, const struct binding *b, uint16_t port)
{
	if (b->rule.first == b->rule.last)
		return false;
	if (gives_way(t, b, port))
		return true;
	for (size_t i = 0; i < t->n_bindings; i++) {
		const struct binding *o = t->bindings[i];

		if (o->listener != b->listener && has(o, b->rule.protocol, port) &&
		    prefix_same(&o->rule.prefix, &b->rule.prefix) && better(o, b) && !gives_way(t, o, port))
			return true;
	}
	return false;
}

struct check {
	const struct table *table;
	size_t family;
	uint8_t protocol;
	uint32_t next; /* the port where the next run must begin */
	size_t decided;
};

static void check_port(struct check *c, uint16_t port, const struct binding *const *order, size_t n)
{
	for (size_t i = 0; i < COUNT(all_addresses[0]); i++) {
		const struct prefix *address = &all_addresses[c->family][i];
		const struct binding *first = NULL;

		for (size_t k = n; k-- > 0;) {
			if (prefix_covers(&order[k]->rule.prefix, address))
				first = order[k];
		}
		assert_ptr_equal(first, who_gets(c->table, c->protocol, port, address));
		c->decided += first != NULL;
	}
}

static int check_row(void *context, uint16_t first, uint16_t last, const struct binding *const *order,
		     size_t n)
{
	struct check *c = context;

	assert_int_equal(first, c->next);
	assert_true(first <= last);
	c->next = last + 1u;
	for (size_t i = 1; i < n; i++) {
		assert_true(order[i - 1]->rule.prefix.length >= order[i]->rule.prefix.length);
		for (size_t k = 0; k < i; k++)
			assert_false(prefix_same(&order[i]->rule.prefix, &order[k]->rule.prefix));
	}
	for (uint32_t port = first; port <= last; port++) {
		if (port > LOW_PORTS + 1 && port < HIGH - 1) /* all alike */
			port = last < HIGH ? last : HIGH - 1;
		check_port(c, (uint16_t)port, order, n);
	}
	return 0;
}

static void each_packet_gets_what_the_rule_says(void **state)
{
	size_t decided = 0;

	srandom(4);
	for (size_t i = 0; i < CASES; i++) {
		struct table t = {0};
		uint16_t a = some_port(), b = some_port();
		uint16_t first = a < b ? a : b, last = a < b ? b : a;

		if (below(3) == 0) {
			first = 0;
			last = 65535;
		}
		make(&t);
		for (size_t f = 0; f < 4; f++) {
			struct check c = {.table = &t,
					  .family = f % 2,
					  .protocol = f < 2 ? IPPROTO_TCP : IPPROTO_UDP,
					  .next = first};

			assert_int_equal(
				table_rows(&t, c.protocol, families[f % 2], first, last, check_row, &c), 0);
			assert_int_equal(c.next, last + 1u);
			decided += c.decided;
		}
		table_clear(&t);
	}
	assert_true(decided > CASES);
}

/* Reads "22,53,100-200" back into one flag for each port. */
static void read_ports(const char *text, bool out[65536])
{
	memset(out, 0, 65536 * sizeof(out[0]));
	while (*text) {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (*end == '-')
			last = strtoul(end + 1, &end, 10);
		assert_true(first >= 1 && first <= last && last <= 65535);
		for (; first <= last; first++)
			out[first] = true;
		assert_true(*end == ',' || *end == '\0');
		text = *end ? end + 1 : end;
	}
}

/* Against the plain statement; the ports between are all alike. */
static void check_left_out(const struct table *t, const struct binding *b, const bool told[65536])
{
	for (uint32_t port = 0; port < 65536; port = port == LOW_PORTS + 1 ? HIGH - 1 : port + 1) {
		bool out = has(b, b->rule.protocol, (uint16_t)port) && left_out(t, b, (uint16_t)port);

		if (has(b, b->rule.protocol, (uint16_t)port))
			assert_int_equal(binding_left_out(t, b, (uint16_t)port), out);
		assert_int_equal(told[port], out && port != b->listener->port);
	}
}

static void each_range_tells_what_it_does_not_get(void **state)
{
	static bool told[65536];
	size_t seen = 0;

	srandom(5);
	for (size_t i = 0; i < CASES / 4; i++) {
		struct table t = {0};

		make(&t);
		for (size_t k = 0; k < t.n_bindings; k++) {
			char text[1024];
			size_t n = binding_left_out_text(&t, t.bindings[k], text, sizeof(text)), count = 0;

			read_ports(strcmp(text, "*") ? text : "1-65535", told);
			for (size_t port = 0; port < 65536; port++)
				count += told[port];
			assert_int_equal(n, count);
			check_left_out(&t, t.bindings[k], told);
			seen += n > 0;
		}
		table_clear(&t);
	}
	assert_true(seen > CASES / 10);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_packet_gets_what_the_rule_says),
		cmocka_unit_test(each_range_tells_what_it_does_not_get),
	};

	return cmocka_run_group_tests(tests, make_prefixes, NULL);
}
