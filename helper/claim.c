// SPDX-License-Identifier: BSD-2-Clause
/*
 * Why each step is safe for a daemon that ordinary users may ask:
 *
 *   who asks      comes from the kernel, as of connect() (server/peer.c)
 *   which socket  is the descriptor that was received; its address, state and
 *                 namespace are asked of the kernel (datapath/listener.c). To
 *                 hold a socket is the right to have it served.
 *   what          the text decides only what is asked for (rules/request.c)
 *   may he        every port is judged by what bind() would have said to this
 *                 user (rules/policy.c), what he has already excepted
 *   doing it      touches the maps of the socket's own namespace only
 *
 * The socket itself is never kept: a helper that kept it would keep the
 * listener alive after its program died.
 */
#include "helper/claim.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/listener.h"
#include "helper/datapath/netns.h"
#include "helper/log.h"
#include "helper/rules/policy.h"
#include "helper/rules/request.h"

#define RULES_MAX 4096 /* in one request */

struct claim {
	struct space *space;
	const struct peer *peer;
	const struct skl_request *request;
	const struct request *wanted;
	const struct received *received;
	struct claimant who;
	struct listener *listener; /* in the table, or being made */
	bool new_listener, new_member;
	uint64_t mark; /* the last id before this began: bindings with higher ones are ours to take back */
	int sock;
	struct say *s;
};

static void what_of(const struct listener *l, char out[RULE_TEXT])
{
	struct rule own = {.first = l->port, .last = l->port, .protocol = l->protocol};

	rule_format(&own, out);
}

static bool has_instance(const struct listener *l, uint64_t instance)
{
	for (size_t i = 0; i < l->n_members; i++) {
		if (instance && l->members[i].instance == instance)
			return true;
	}
	return false;
}

/* Is it, now? One that is found dead is forgotten, so pointers into the table do not outlive this. */
static bool still_there(struct claim *c, struct listener *l)
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

static bool same_address(const struct listener *a, const struct listener *b)
{
	return a->family == b->family && a->protocol == b->protocol && a->port == b->port &&
	       a->ifindex == b->ifindex && a->v6only == b->v6only && memcmp(a->address, b->address, 16) == 0;
}

/*
 * The listener that this socket belongs to already: it is a member, or the
 * kernel has let it share the address of members with SO_REUSEPORT, and then
 * balances between them with or without us.
 */
static struct listener *find_listener(struct claim *c)
{
	const struct table *t = &c->space->table;
	struct listener *l = table_find_cookie(t, c->received->cookie);

	if (l && still_there(c, l))
		return l;
	for (size_t i = t->n_listeners; c->received->listener.reuseport && i-- > 0;) {
		l = t->listeners[i];
		if (l->reuseport && same_address(l, &c->received->listener) && still_there(c, l))
			return l;
	}
	return NULL;
}

/* A living listener of the same program, protocol and family, on another port or (same_port) on the same. */
static struct listener *find_sibling(struct claim *c, bool same_port)
{
	const struct table *t = &c->space->table;

	for (size_t i = t->n_listeners; i-- > 0;) {
		struct listener *l = t->listeners[i];

		if (!has_instance(l, c->request->instance) || l->protocol != c->received->listener.protocol ||
		    !share_a_family(l, &c->received->listener) || l == c->listener)
			continue;
		if ((l->port == c->received->listener.port) == same_port && still_there(c, l))
			return l;
	}
	return NULL;
}

/* A program's coverage goes to its first listener, unless SKL_FOR says which. True: this one is to be left
 * alone. */
static bool left_alone(struct claim *c)
{
	const struct listener *l = &c->received->listener;
	const struct listener *first;
	char what[RULE_TEXT];

	what_of(l, what);
	if (c->wanted->n_only)
		return !request_is_for(c->wanted, l);
	first = find_sibling(c, false);
	if (!first)
		return false;
	say(c->s, "%s: left alone: this program's coverage went to port %u (SKL_FOR names another)", what,
	    first->port);
	return true;
}

static int add_member(struct claim *c)
{
	struct member m = {
		.cookie = c->received->cookie,
		.instance = c->request->instance,
		.since = boottime_ns(),
		.uid = c->peer->uid,
		.pid = c->peer->pid,
	};
	char what[RULE_TEXT];
	int err;

	if (listener_find_cookie(c->listener, m.cookie))
		return 0;
	memcpy(m.program, c->peer->program, sizeof(m.program));
	err = datapath_add_member(c->space->datapath, c->listener, &m, c->sock);
	if (!err) {
		c->new_member = true;
		return 0;
	}
	what_of(c->listener, what);
	return say_error(c->s, -err, what, "the kernel does not take this socket into its map");
}

static int make_listener(struct claim *c)
{
	struct listener *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return -ENOMEM;
	*l = c->received->listener;
	l->id = datapath_next_id(c->space->datapath);
	c->listener = l;
	err = add_member(c);
	if (!err) {
		err = table_add_listener(&c->space->table, l);
		if (err)
			datapath_remove_listener(c->space->datapath, l);
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

static bool granted_already(const struct claim *c, const struct rule *r)
{
	const struct table *t = &c->space->table;

	for (size_t i = 0; i < t->n_bindings; i++) {
		const struct rule *had = &t->bindings[i]->rule;

		if (t->bindings[i]->listener == c->listener && had->first == r->first &&
		    had->last == r->last && had->protocol == r->protocol &&
		    prefix_same(&had->prefix, &r->prefix))
			return true;
	}
	return false;
}

/* 0: may be added; 1: skipped; -errno: refused. */
static int judge(struct claim *c, struct rule *r)
{
	struct conflict conflict;
	char what[RULE_TEXT];
	int err;

	if (granted_already(c, r))
		return 1;
	err = policy_ports(&c->who, r, c->s);
	if (err)
		return err;
	if (granted_already(c, r)) /* now that "*" is narrowed */
		return 1;
	while (policy_conflict(&c->space->table, &c->who, c->listener, r, &conflict)) {
		struct listener *other = conflict.binding ? conflict.binding->listener : NULL;

		if (other && !still_there(c, other))
			continue;
		if (!other || !has_instance(other, c->request->instance))
			return policy_refuse(&conflict, r, c->s);
		rule_format(r, what);
		say(c->s, "%s: left alone: this program's listener on port %u has it", what, other->port);
		return 1;
	}
	return 0;
}

static int add_binding(struct claim *c, const struct rule *r)
{
	struct binding *b = calloc(1, sizeof(*b));
	char what[RULE_TEXT];
	int err;

	if (!b)
		return -ENOMEM;
	*b = (struct binding){
		.id = datapath_next_id(c->space->datapath),
		.since = boottime_ns(),
		.listener = c->listener,
		.rule = *r,
		.uid = c->peer->uid,
	};
	err = datapath_add_binding(c->space->datapath, b);
	if (!err) {
		err = table_add_binding(&c->space->table, b);
		if (err)
			datapath_remove_binding(c->space->datapath, b);
	}
	if (!err)
		return 0;
	free(b);
	rule_format(r, what);
	return say_error(c->s, -err, what, "no room for another binding in this network namespace");
}

/* Names what a wide binding does not get; nothing at all left is a conflict like any other. */
static int say_left_out(struct claim *c, const struct binding *b)
{
	char less[200], what[RULE_TEXT], prefix[PREFIX_TEXT];
	size_t n = binding_left_out_text(&c->space->table, b, less, sizeof(less));
	size_t own = rule_has_port(&b->rule, b->listener->port);

	if (n == 0)
		return 0;
	rule_format(&b->rule, what);
	prefix_format(&b->rule.prefix, prefix);
	if (n + own >= (size_t)(b->rule.last - b->rule.first + 1))
		return say_error(c->s, EADDRINUSE, what, "every one of them on %s is in use by others",
				 prefix);
	say(c->s, "%s: less %s on %s, which others have", what, less, prefix);
	return 0;
}

static bool is_ours(const struct claim *c, const struct binding *b)
{
	return b->id > c->mark;
}

static int write_bindings(struct claim *c)
{
	const struct table *t = &c->space->table;
	char what[RULE_TEXT];

	for (size_t i = 0; i < t->n_bindings; i++) {
		int err = is_ours(c, t->bindings[i]) ? say_left_out(c, t->bindings[i]) : 0;

		if (err)
			return err;
	}
	for (size_t i = 0; i < t->n_bindings; i++) {
		int err = 0;

		if (is_ours(c, t->bindings[i]))
			err = datapath_refresh(c->space->datapath, t, &t->bindings[i]->rule);
		if (err) {
			rule_format(&t->bindings[i]->rule, what);
			return say_error(c->s, -err, what,
					 "no room for another port in this network namespace");
		}
	}
	return 0;
}

static void take_back(struct claim *c)
{
	struct table *t = &c->space->table;

	for (size_t i = t->n_bindings; i-- > 0;) {
		if (is_ours(c, t->bindings[i]))
			space_forget_binding(c->space, t->bindings[i]);
	}
	/* A new member of an older listener stays: the kernel balances to it with or without us. */
	if (c->new_listener)
		space_forget_listener(c->space, c->listener);
}

static bool any_wide(const struct rule *rules, int n)
{
	for (int i = 0; i < n; i++) {
		if (rule_is_wide(&rules[i]))
			return true;
	}
	return false;
}

static int apply(struct claim *c)
{
	size_t said = c->s->length;
	bool wide_too;
	struct rule *rules;
	int n, err = 0;

	if (!c->listener)
		err = make_listener(c);
	else
		err = add_member(c);
	if (err)
		return err;
	/* of several sockets of a program on one port, the first has what is not about their own addresses */
	wide_too = !find_sibling(c, true);
	n = request_rules(c->wanted, c->listener, wide_too, RULES_MAX, &rules, c->s);
	if (n > 0 && any_wide(rules, n)) /* what the dead had, a range gets */
		space_sweep(c->space);
	for (int i = 0; i < n && err >= 0; i++) {
		err = judge(c, &rules[i]);
		if (err == 0)
			err = add_binding(c, &rules[i]);
	}
	if (n >= 0)
		free(rules);
	else
		err = n;
	if (err >= 0)
		err = write_bindings(c);
	if (err < 0) {
		/* the reason alone, without remarks about what is not given */
		struct say reason = {0};
		const char *last = memrchr(c->s->text, '\n', c->s->length);

		take_back(c);
		say(&reason, "%s", last ? last + 1 : c->s->text);
		say_rewind(c->s, said);
		say(c->s, "%s", reason.text);
	}
	return err < 0 ? err : 0;
}

static void log_outcome(const struct claim *c, int err)
{
	const struct listener *l = &c->received->listener;
	const struct table *t = &c->space->table;
	char where[LISTENER_TEXT], what[RULE_TEXT], prefix[PREFIX_TEXT];

	listener_format(l, where);
	if (err) {
		log_notice("uid %u pid %d (%s) %s: refused: %s", c->peer->uid, c->peer->pid, c->peer->program,
			   where, c->s->text);
		return;
	}
	if (c->new_listener || c->new_member)
		log_info("uid %u pid %d (%s) %s: %s listener %llu", c->peer->uid, c->peer->pid,
			 c->peer->program, where, c->new_listener ? "new" : "joins",
			 c->listener ? (unsigned long long)c->listener->id : 0);
	for (size_t i = 0; i < t->n_bindings; i++) {
		if (!is_ours(c, t->bindings[i]))
			continue;
		rule_format(&t->bindings[i]->rule, what);
		prefix_format(&t->bindings[i]->rule.prefix, prefix);
		log_info("listener %llu: covers %s on %s", (unsigned long long)t->bindings[i]->listener->id,
			 what, prefix);
	}
}

/* The part of a claim in which the namespace, its maps and its sockets are known. */
static int claim_in_space(struct claim *c, int diag)
{
	char what[RULE_TEXT];
	int err;

	what_of(&c->received->listener, what);
	if (c->received->listener.ifindex && !datapath_knows_devices(c->space->datapath))
		return say_error(
			c->s, EOPNOTSUPP, what,
			"this kernel cannot cover a socket that is bound to a device (Linux 5.17 can)");
	err = space_look(c->space, diag);
	if (err)
		return say_error(c->s, -err, what, "the sockets of its network namespace cannot be listed");
	c->mark = datapath_last_id(c->space->datapath);
	c->listener = find_listener(c);
	return !c->listener && left_alone(c) ? 0 : apply(c);
}

static int claim_received(struct spaces *spaces, struct claim *c)
{
	struct netns_view view;
	char what[RULE_TEXT];
	int err;

	what_of(&c->received->listener, what);
	err = netns_look(c->received->netns, &view);
	if (err)
		return say_error(c->s, -err, what, "its network namespace cannot be looked into");
	c->who = (struct claimant){
		.uid = c->peer->uid,
		.may_bind_low = peer_may_bind_low(c->peer, c->received->netns),
		.first_free_port = view.first_free_port,
	};
	err = spaces_get(spaces, c->received->netns, c->received->netns_ino, &c->space);
	if (err) {
		close(view.diag);
		return say_error(c->s, -err, what,
				 "the BPF programs cannot be put into its network namespace");
	}
	err = claim_in_space(c, view.diag);
	log_outcome(c, err);
	if (c->space->diag < 0 && space_has_wide(c->space))
		c->space->diag = view.diag; /* to be watched from now on */
	else
		close(view.diag);
	return err;
}

static bool wants_nothing(const struct request *r)
{
	return r->n_ports == 0 && r->n_cidrs == 0 && r->n_binds == 0;
}

int claim(struct spaces *spaces, const struct peer *peer, const struct skl_request *request, const char *text,
	  size_t length, int sock, struct say *s)
{
	struct request wanted = {0};
	struct received received = {.netns = -1};
	struct claim c = {.peer = peer,
			  .request = request,
			  .wanted = &wanted,
			  .received = &received,
			  .sock = sock,
			  .s = s};
	int err;

	if (sock < 0)
		return say_error(s, EBADF, "request", "no socket came with it");
	err = request_parse(text, length, &wanted, s);
	if (!err)
		err = received_read(sock, &received, s);
	if (!err && received.listener.protocol == IPPROTO_UDP && request->kind == SKL_CLAIM_ATTACH)
		err = say_error(s, EOPNOTSUPP, "udp",
				"this helper covers TCP only (version " SKL_VERSION ")");
	/* a TCP server has UDP sockets of its own, for instance to ask a name server: not meant */
	if (!err && received.listener.protocol == IPPROTO_TCP && !wants_nothing(&wanted))
		err = claim_received(spaces, &c);
	request_free(&wanted);
	received_close(&received);
	return err;
}
