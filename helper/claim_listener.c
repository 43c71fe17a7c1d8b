// SPDX-License-Identifier: BSD-2-Clause
/* Which listener a claim is about: one that is known, one that is left alone, or a new one. */
#include "helper/claim_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

void claim_what(const struct listener *l, char out[RULE_TEXT])
{
	struct rule own = {.first = l->port, .last = l->port, .protocol = l->protocol};

	rule_format(&own, out);
}

const struct claim_program *claim_program(struct claim *c)
{
	struct claim_program *p = &c->program;
	pid_t named = c->request->pid;

	if (p->pid)
		return p;
	if (named > 0 && named != c->peer->pid && peer_owns(c->peer, named, p->name)) {
		p->pid = named;
	} else {
		p->pid = c->peer->pid;
		memcpy(p->name, c->peer->program, sizeof(p->name));
	}
	return p;
}

bool claim_has_instance(const struct claim *c, const struct listener *l)
{
	for (size_t i = 0; i < l->n_members; i++) {
		if (c->request->instance && l->members[i].instance == c->request->instance)
			return true;
	}
	return false;
}

/* Is it, now? One that is found dead is forgotten, so pointers into the table do not outlive this. */
bool claim_still_there(struct claim *c, struct listener *l)
{
	if (space_listener_alive(c->space, l))
		return true;
	space_forget_listener(c->space, l);
	return false;
}

static bool share_a_family(const struct listener *a, const struct listener *b)
{
	return (listener_serves(a, AF_INET) && listener_serves(b, AF_INET)) ||
	       (listener_serves(a, AF_INET6) && listener_serves(b, AF_INET6));
}

/* The socket's place among those that the kernel has just listed, or NULL. */
static const struct holder *find_holder(const struct table *t, const struct listener *l, uint64_t cookie)
{
	for (size_t i = 0; i < t->n_holders; i++) {
		const struct holder *h = &t->holders[i];

		if (h->cookie == cookie && h->protocol == l->protocol && h->port == l->port)
			return h;
	}
	return NULL;
}

/*
 * Has the kernel let this socket share its address with a member of `l`? What is
 * recorded of a member does not tell: its program may have bound it anew since.
 * The kernel lets only sockets of one user share (SO_REUSEPORT), and then
 * balances between them with or without us.
 */
static bool shares_address(const struct claim *c, const struct listener *l)
{
	const struct table *t = &c->space->table;
	const struct holder *own = find_holder(t, &c->received->listener, c->received->cookie);

	for (size_t i = 0; own && i < l->n_members; i++) {
		const struct holder *h = l->members[i].dead ? NULL : find_holder(t, l, l->members[i].cookie);

		if (h && h->uid == own->uid && prefix_same(&h->prefix, &own->prefix))
			return true;
	}
	return false;
}

/*
 * With SO_REUSEPORT there are many members. A UDP program that connects its
 * socket to a client binds a successor (SO_REUSEADDR), and does it before or
 * after: a member besides one that is not yet connected, it is there for when
 * that is.
 */
static bool may_join(const struct claim *c, const struct listener *l)
{
	if (!listener_same_address(l, &c->received->listener))
		return false;
	return (l->reuseport && c->received->listener.reuseport) ||
	       (l->protocol == IPPROTO_UDP && claim_has_instance(c, l));
}

/* The listener that this socket is a member of, or is to be. */
struct listener *claim_find_listener(struct claim *c)
{
	const struct table *t = &c->space->table;
	struct listener *l = table_find_cookie(t, c->received->cookie);

	if (l && claim_still_there(c, l)) {
		if (listener_same_address(l, &c->received->listener))
			return l;
		space_forget_listener(c->space,
				      l); /* it was bound anew: what it had was for another address */
	}
	for (size_t i = t->n_listeners; i-- > 0;) {
		l = t->listeners[i];
		if (may_join(c, l) && shares_address(c, l) && claim_still_there(c, l))
			return l;
	}
	return NULL;
}

/* Is it another listener of the same program, for the same protocol and a family of the socket's? */
static bool is_sibling(const struct claim *c, const struct listener *l)
{
	return l != c->listener && claim_has_instance(c, l) &&
	       l->protocol == c->received->listener.protocol && share_a_family(l, &c->received->listener);
}

unsigned int claim_wide(struct claim *c)
{
	const struct table *t = &c->space->table;
	unsigned int wide = WIDE_ALL;

	for (size_t i = t->n_listeners; i-- > 0;) {
		struct listener *l = t->listeners[i];

		if (!is_sibling(c, l) || l->port != c->received->listener.port || !claim_still_there(c, l))
			continue;
		if (listener_serves(l, AF_INET))
			wide &= ~WIDE_IPV4;
		if (listener_serves(l, AF_INET6))
			wide &= ~WIDE_IPV6;
	}
	return wide;
}

/* A living one on another port, or NULL. */
static const struct listener *find_elsewhere(struct claim *c)
{
	const struct table *t = &c->space->table;

	for (size_t i = t->n_listeners; i-- > 0;) {
		struct listener *l = t->listeners[i];

		if (is_sibling(c, l) && l->port != c->received->listener.port && claim_still_there(c, l))
			return l;
	}
	return NULL;
}

/* A program's coverage goes to its first listener, unless SKL_FOR says which. True: this one is to be left
 * alone. */
bool claim_left_alone(struct claim *c)
{
	const struct listener *l = &c->received->listener;
	const struct listener *first;
	char what[RULE_TEXT];

	claim_what(l, what);
	if (c->wanted->n_only)
		return !request_is_for(c->wanted, l);
	first = find_elsewhere(c);
	if (!first)
		return false;
	/* A resolver opens a UDP socket for each question: that is said once, so it must read the same each
	 * time. */
	if (l->protocol == IPPROTO_UDP)
		say(c->s,
		    "udp: further sockets of this program are left alone: its coverage went to port %u "
		    "(SKL_FOR names another)",
		    first->port);
	else
		say(c->s, "%s: left alone: this program's coverage went to port %u (SKL_FOR names another)",
		    what, first->port);
	return true;
}

static int add_member(struct claim *c)
{
	struct member m = {
		.cookie = c->received->cookie,
		.instance = c->request->instance,
		.since = boottime_ns(),
		.uid = c->peer->uid,
	};
	char what[RULE_TEXT];
	int err;

	if (listener_find_cookie(c->listener, m.cookie))
		return 0;
	claim_what(c->listener, what);
	err = usage_socket(&c->usage, &c->who, what, c->s);
	if (err)
		return err;
	m.pid = claim_program(c)->pid;
	memcpy(m.program, claim_program(c)->name, sizeof(m.program));
	err = datapath_add_member(c->space->datapath, c->listener, &m, c->sock);
	if (!err) {
		c->new_member = true;
		c->usage.sockets++;
		return 0;
	}
	return say_error(c->s, -err, what, "the kernel does not take this socket into its map");
}

static int make_listener(struct claim *c)
{
	struct listener *l;
	char what[RULE_TEXT];
	int err;

	claim_what(&c->received->listener, what);
	err = usage_listener(&c->usage, &c->who, what, c->s);
	if (err)
		return err;
	l = calloc(1, sizeof(*l));
	if (!l)
		return say_error(c->s, ENOMEM, what, "no room for another listener");
	*l = c->received->listener;
	l->id = datapath_next_id(c->space->datapath);
	c->listener = l;
	err = add_member(c);
	if (!err) {
		err = table_add_listener(&c->space->table, l);
		if (err) {
			say_error(c->s, -err, what, "no room for another listener");
			datapath_remove_listener(c->space->datapath, l);
		}
	}
	if (err) {
		free(l->members);
		free(l);
		c->listener = NULL;
		return err;
	}
	c->space->empty_since = 0;
	c->new_listener = true;
	return 0;
}

int claim_take_socket(struct claim *c)
{
	if (c->listener)
		return c->check ? 0 : add_member(c);
	return make_listener(c);
}
