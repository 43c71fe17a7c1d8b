// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/who.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_listener(struct table *t, const struct skl_record_listener *r)
{
	struct listener *l = calloc(1, sizeof(*l));
	struct member m = {.uid = r->uid, .pid = r->pid};
	int err;

	if (!l)
		return -ENOMEM;
	l->id = r->id;
	memcpy(l->address, r->address, sizeof(l->address));
	l->port = r->port;
	l->family = r->family;
	l->protocol = r->protocol;
	l->v6only = r->v6only;
	l->ifindex = r->ifindex;
	memcpy(m.program, r->program, sizeof(m.program));
	m.dead = r->state == SKL_LISTENER_STALE;
	err = listener_add_member(l, &m);
	if (!err)
		err = table_add_listener(t, l);
	if (err) {
		free(l->members);
		free(l);
		return err;
	}
	return table_add_own(t, l);
}

/* Of the listener that was added last. */
static int add_binding(struct table *t, const struct skl_record_binding *r, uint32_t uid)
{
	struct binding *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	b->id = r->id;
	b->since = r->id; /* numbers are given in the order of time */
	b->listener = t->listeners[t->n_listeners - 1];
	b->uid = uid;
	b->rule.prefix.family = r->family;
	b->rule.prefix.length = r->prefixlen;
	memcpy(b->rule.prefix.address, r->address, sizeof(r->address));
	b->rule.first = r->port_first;
	b->rule.last = r->port_last;
	b->rule.protocol = r->protocol;
	err = table_add_binding(t, b);
	if (err)
		free(b);
	return err;
}

int who_table(const struct report *report, uint64_t netns, struct table *t)
{
	int err = 0;

	memset(t, 0, sizeof(*t));
	for (size_t i = 0; i < report->n_listeners && !err; i++) {
		const struct report_listener *l = &report->listeners[i];

		if (l->record.netns != netns)
			continue;
		err = add_listener(t, &l->record);
		for (size_t k = 0; k < l->n_bindings && !err; k++)
			err = add_binding(t, &l->bindings[k], l->record.uid);
	}
	return err;
}

struct choice {
	const struct prefix *host;
	const struct binding *winner;
};

/* Takes the first of those that decide for this port whose prefix has the address, as the BPF program does.
 */
static int choose(void *context, uint16_t first, uint16_t last, const struct binding *const *order, size_t n)
{
	struct choice *c = context;

	for (size_t i = 0; i < n && !c->winner; i++) {
		if (prefix_covers(&order[i]->rule.prefix, c->host))
			c->winner = order[i];
	}
	return 0;
}

static enum who_reason reason_against(const struct table *t, const struct binding *b, uint16_t port,
				      const struct binding *winner)
{
	if (b->rule.prefix.length < winner->rule.prefix.length)
		return WHO_SHORTER;
	if (rules_precedence(&winner->rule, &b->rule) < 0)
		return WHO_WIDER;
	return binding_left_out(t, b, port) ? WHO_LEFT_OUT : WHO_LATER;
}

int who_gets(const struct table *t, uint8_t protocol, const struct prefix *host, uint16_t port,
	     const struct binding **winner)
{
	struct choice choice = {.host = host};
	int err = table_rows(t, protocol, host->family, port, port, choose, &choice);

	*winner = choice.winner;
	return err;
}

void who_others(const struct table *t, uint8_t protocol, const struct prefix *host, uint16_t port,
		const struct binding *winner, who_row *row)
{
	for (size_t i = 0; i < t->n_bindings; i++) {
		const struct binding *b = t->bindings[i];

		if (b == winner || b->own || b->rule.protocol != protocol || !rule_has_port(&b->rule, port) ||
		    !prefix_covers(&b->rule.prefix, host))
			continue;
		row(b, winner ? reason_against(t, b, port, winner) : WHO_LEFT_OUT);
	}
}

const struct holder *who_holds(const struct table *t, uint8_t protocol, const struct prefix *host,
			       uint16_t port)
{
	const struct holder *found = NULL;

	for (size_t i = 0; i < t->n_holders; i++) {
		const struct holder *h = &t->holders[i];

		if (h->protocol == protocol && h->port == port && prefix_covers(&h->prefix, host) &&
		    (!found || h->prefix.length > found->prefix.length))
			found = h;
	}
	return found;
}
