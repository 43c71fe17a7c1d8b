// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/explain.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/cli/listing.h"
#include "helper/cli/skl.h"
#include "helper/cli/text.h"
#include "helper/cli/who.h"
#include "helper/datapath/diag.h"
#include "helper/rules/items.h"
#include "helper/rules/policy.h"

int explain_parse(const char *port, const char *address, struct explain_question *q)
{
	struct port_item item;
	struct say s = {0};
	bool masked;

	if (item_ports((struct text){port, strlen(port)}, &item, &s, "PORT") != 0 ||
	    item.first != item.last) {
		complain("status: %s: not a port: skl status 777, or skl status 53/udp 192.0.2.7", port);
		return -EINVAL;
	}
	q->port = item.first;
	q->protocol = item.protocol;
	q->host = (struct prefix){0};
	if (!address)
		return 0;
	if (prefix_parse(address, strlen(address), &q->host, &masked) == 0 &&
	    q->host.length == (q->host.family == AF_INET6 ? 128 : 32))
		return 0;
	complain("status: %s: not an address: skl status 777 192.0.2.7", address);
	return -EINVAL;
}

/* Who holds ports without coverage; what cannot be listed is not shown. */
static void list_holders(struct table *t, uint64_t netns)
{
	struct holder *holders;
	struct stat own;
	size_t n;
	int diag;

	if (stat("/proc/self/ns/net", &own) < 0 || own.st_ino != netns)
		return;
	diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	if (diag < 0)
		return;
	if (diag_holders(diag, true, false, &holders, &n) == 0)
		table_set_holders(t, holders, n, NULL, NULL);
	close(diag);
}

static void describe(const struct binding *b, char out[256])
{
	const struct listener *l = b->listener;
	const char *user = listing_user(l->members[0].uid);
	char where[LISTENER_TEXT], program[32], id[16];

	listener_format(l, where);
	snprintf(id, sizeof(id), "%u", l->members[0].uid);
	snprintf(program, sizeof(program), "%s", l->members[0].program);
	text_make_printable(program);
	snprintf(out, 256, "listener %llu (%s, pid %d, %s, bound to %s)", (unsigned long long)l->id, program,
		 l->members[0].pid, user ? user : id, where);
}

static void rule_text(const struct binding *b, char out[RULE_TEXT + PREFIX_TEXT + 4])
{
	char what[RULE_TEXT], prefix[PREFIX_TEXT];

	rule_format(&b->rule, what);
	prefix_format(&b->rule.prefix, prefix);
	snprintf(out, RULE_TEXT + PREFIX_TEXT + 4, "%s on %s", what, prefix);
}

static const char *const reasons[] = {
	[WHO_SHORTER] = "its prefix is shorter",
	[WHO_WIDER] = "its range is wider",
	[WHO_LEFT_OUT] = "a range gives way to who has the port",
	[WHO_LATER] = "another was first",
};

static void print_other(const struct binding *b, enum who_reason reason)
{
	char listener[256], rule[RULE_TEXT + PREFIX_TEXT + 4];

	describe(b, listener);
	rule_text(b, rule);
	printf("  not %s, binding %llu for %s: %s\n", listener, (unsigned long long)b->id, rule,
	       reasons[reason]);
}

static void print_winner(const struct binding *b)
{
	char listener[256], rule[RULE_TEXT + PREFIX_TEXT + 4];

	describe(b, listener);
	rule_text(b, rule);
	printf("%s\n  by binding %llu for %s%s\n", listener, (unsigned long long)b->id, rule,
	       b->listener->ifindex ? ", for packets that arrive on its device" : "");
	if (b->listener->members[0].dead)
		printf("  it is gone: until it is forgotten, the ordinary lookup goes on\n");
}

/* As in "a socket of root that is bound to every address". */
static void print_holder(const struct holder *h)
{
	const char *user = listing_user(h->uid);
	char prefix[PREFIX_TEXT];

	prefix_format(&h->prefix, prefix);
	printf("a socket of ");
	if (user)
		printf("%s", user);
	else
		printf("uid %u", h->uid);
	if (h->prefix.length)
		printf(" that is bound to %.*s", (int)strcspn(prefix, "/"), prefix);
	else
		printf(" that is bound to every address");
}

static int print_host(const struct table *t, uint8_t protocol, const struct prefix *host, uint16_t port)
{
	const struct holder *h = who_holds(t, protocol, host, port);
	const struct binding *winner;
	int err = who_gets(t, protocol, host, port, &winner);
	bool covered = !err && winner && !winner->own;

	if (err)
		return err;
	if (covered) {
		print_winner(winner);
	} else if (h) {
		print_holder(h);
		printf(", by the ordinary lookup\n");
	} else {
		printf("nobody: nothing covers it, and nobody is bound there\n");
	}
	who_others(t, protocol, host, port, winner, print_other);
	if (covered && h) {
		printf("  not ");
		print_holder(h);
		printf(": coverage comes before the ordinary lookup\n");
	}
	return 0;
}

static int print_question(const struct table *t, uint8_t protocol, const struct prefix *host, uint16_t port,
			  const char *where)
{
	printf("%s port %u on %s: ", protocol == IPPROTO_UDP ? "udp" : "tcp", port, where);
	return print_host(t, protocol, host, port);
}

struct every {
	const struct table *table;
	uint8_t protocol;
	uint16_t port;
	bool any;
};

/* Each prefix that decides, longest first: what is said of one holds for what the ones before did not have.
 */
static int print_each(void *context, uint16_t first, uint16_t last, const struct binding *const *order,
		      size_t n)
{
	struct every *e = context;

	for (size_t i = 0; i < n; i++) {
		struct prefix host = order[i]->rule.prefix;
		char where[PREFIX_TEXT];
		int err;

		prefix_format(&host, where);
		e->any = true;
		err = print_question(e->table, e->protocol, &host, e->port, where);
		if (err)
			return err;
	}
	if (n && order[n - 1]->rule.prefix.length) {
		const struct prefix rest = prefix_any(order[0]->rule.prefix.family);

		return print_question(e->table, e->protocol, &rest, e->port,
				      rest.family == AF_INET6 ? "the rest of IPv6" : "the rest of IPv4");
	}
	return 0;
}

static int print_everything(const struct table *t, uint8_t protocol, uint16_t port)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct every e = {.table = t, .protocol = protocol, .port = port};

	for (size_t i = 0; i < 2; i++) {
		int err = table_rows(t, protocol, families[i], port, port, print_each, &e);

		if (err)
			return err;
	}
	if (e.any)
		return 0;
	for (size_t i = 0; i < t->n_holders; i++) {
		const struct holder *h = &t->holders[i];
		char where[PREFIX_TEXT];

		if (h->protocol != protocol || h->port != port)
			continue;
		prefix_format(&h->prefix, where);
		e.any = true;
		printf("%s port %u on %s: ", protocol == IPPROTO_UDP ? "udp" : "tcp", port, where);
		print_holder(h);
		printf(", by the ordinary lookup\n");
	}
	if (!e.any)
		printf("%s port %u: nobody: nothing covers it, and nobody is bound there\n",
		       protocol == IPPROTO_UDP ? "udp" : "tcp", port);
	return 0;
}

int explain(const struct report *report, const struct explain_question *q)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct table t;
	char where[PREFIX_TEXT] = "";
	int err = who_table(report, q->netns, &t);

	list_holders(&t, q->netns);
	if (q->host.family) {
		prefix_format(&q->host, where);
		where[strcspn(where, "/")] = '\0';
	}
	for (size_t i = 0; i < 2 && !err; i++) {
		if (q->protocol && q->protocol != protocols[i])
			continue;
		err = q->host.family ? print_question(&t, protocols[i], &q->host, q->port, where)
				     : print_everything(&t, protocols[i], q->port);
	}
	table_clear(&t);
	return err;
}
