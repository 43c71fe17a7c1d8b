// SPDX-License-Identifier: BSD-2-Clause
#include "helper/space.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper/datapath/diag.h"
#include "helper/datapath/netns.h"
#include "helper/log.h"
#include "helper/space_routes.h"

#define WATCH_MS 500	     /* "within a second" a wide binding has given way */
#define SWEEP_MS 1000	     /* a listener that is gone is forgotten */
#define REST_NS	 3000000000u /* where there are more interfaces than can be looked at in one go */
#define LOOK_MS	 500 /* who asks for the status does not make the helper list all sockets more often */

uint64_t boottime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t boottime_ms(void)
{
	return boottime_ns() / 1000000;
}

static const int families[] = {AF_INET, AF_INET6};

static int refresh_ports(struct space *s, uint8_t protocol, uint16_t first, uint16_t last)
{
	int err = 0;

	for (size_t i = 0; i < 2; i++) {
		struct rule r = {.prefix = prefix_any(families[i]),
				 .first = first,
				 .last = last,
				 .protocol = protocol};
		int one = datapath_refresh(s->datapath, &s->table, &r);

		if (one)
			err = one;
	}
	return err;
}

static bool has_udp(const struct space *s)
{
	for (size_t i = 0; i < s->table.n_listeners; i++) {
		if (s->table.listeners[i]->protocol == IPPROTO_UDP)
			return true;
	}
	return false;
}

bool space_has_wide(const struct space *s)
{
	return s->table.wide.n > 0;
}

/* Ports whose holders are others than before: few are written one by one, many as what lies between them. */
#define CHANGED_MAX 32

struct changed {
	size_t n; /* more than CHANGED_MAX: only the span counts */
	struct {
		uint8_t protocol;
		uint16_t port;
	} ports[CHANGED_MAX];
	uint16_t first[2], last[2]; /* by protocol: TCP, UDP; first > last: none */
};

static void on_port_changed(void *context, uint8_t protocol, uint16_t port)
{
	struct changed *c = context;
	size_t p = protocol == IPPROTO_UDP;

	if (c->n < CHANGED_MAX) {
		c->ports[c->n].protocol = protocol;
		c->ports[c->n].port = port;
	}
	c->n++;
	c->first[p] = port < c->first[p] ? port : c->first[p];
	c->last[p] = port > c->last[p] ? port : c->last[p];
}

static void refresh_changed(struct space *s, const struct changed *c)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	int err = 0;

	for (size_t i = 0; c->n <= CHANGED_MAX && i < c->n; i++)
		err |= refresh_ports(s, c->ports[i].protocol, c->ports[i].port, c->ports[i].port);
	for (size_t p = 0; c->n > CHANGED_MAX && p < 2; p++) {
		if (c->first[p] <= c->last[p])
			err |= refresh_ports(s, protocols[p], c->first[p], c->last[p]);
	}
	if (!err)
		return;
	s->unwritten = true;
	log_error("namespace %llu: not all ports that changed hands could be written",
		  (unsigned long long)s->netns_ino);
}

static void refresh_all(struct space *s)
{
	int tcp = refresh_ports(s, IPPROTO_TCP, 0, 65535), udp = refresh_ports(s, IPPROTO_UDP, 0, 65535);

	s->unwritten = tcp < 0 || udp < 0;
	if (s->unwritten)
		log_error("namespace %llu: not all of its coverage could be written",
			  (unsigned long long)s->netns_ino);
}

int space_look(struct space *s, int diag, bool udp_too, bool bound_too)
{
	struct changed changed = {.first = {65535, 65535}};
	struct holder *holders;
	size_t n;
	int err = diag_holders(diag, udp_too || has_udp(s), bound_too, &holders, &n);

	if (err)
		return err;
	table_set_holders(&s->table, holders, n, space_has_wide(s) ? on_port_changed : NULL, &changed);
	s->looked_at = boottime_ms();
	if (s->blind)
		refresh_all(s);
	else
		refresh_changed(s, &changed);
	s->blind = false;
	return 0;
}

/* Writes the ports of bindings that are no longer in the table. They must not stay reachable, whatever
 * happens. */
static void rewrite(struct space *s, const struct rule *r)
{
	int err = datapath_refresh(s->datapath, &s->table, r);

	if (!err)
		return;
	/* No room for the new answer beside the old one: first no answer, which takes none, then the new one.
	 */
	err = datapath_clear(s->datapath, r);
	if (!err)
		err = datapath_refresh(s->datapath, &s->table, r);
	if (!err)
		return;
	s->unwritten = true;
	log_error("namespace %llu: what others have of the same ports could not be written: %s",
		  (unsigned long long)s->netns_ino, strerror(-err));
}

static void widen(struct rule *span, const struct rule *r)
{
	if (span->first > span->last) {
		*span = *r;
		return;
	}
	span->first = r->first < span->first ? r->first : span->first;
	span->last = r->last > span->last ? r->last : span->last;
}

/* Which bindings: those of a listener, or one alone, or those with higher ids than `after`. */
struct which {
	const struct listener *listener;
	const struct binding *one;
	bool dead; /* those of all listeners that are marked so, and of those that only answer, but for their
		      own */
	uint64_t after;
};

static bool is_meant(const struct which *w, const struct binding *b)
{
	if (w->one)
		return b == w->one;
	if (w->dead)
		return b->listener->dead || (b->listener->answering && !b->own);
	return w->listener ? b->listener == w->listener : b->id > w->after;
}

/* Moves those that go behind those that stay; returns how many stay. */
static size_t part(struct table *t, const struct which *w)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->n_bindings; i++) {
		struct binding *b = t->bindings[i];

		if (is_meant(w, b))
			continue;
		t->bindings[i] = t->bindings[kept];
		t->bindings[kept++] = b;
	}
	return kept;
}

static void forget(struct space *s, const struct which *w)
{
	struct table *t = &s->table;
	size_t kept = part(t, w), n = t->n_bindings - kept;
	struct binding **gone;
	struct rule spans[2][2]; /* by protocol and family */

	if (n == 0)
		return;
	gone = t->bindings + kept;
	for (size_t i = 0; i < 4; i++)
		spans[i / 2][i % 2] = (struct rule){.first = 1};
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = &gone[i]->rule;

		widen(&spans[r->protocol == IPPROTO_UDP][r->prefix.family == AF_INET6], r);
	}
	t->n_bindings = kept;
	table_unindex(t, gone, n);
	for (size_t i = 0; i < 4; i++) {
		const struct rule *span = &spans[i / 2][i % 2];

		if (span->first <= span->last)
			rewrite(s, span);
	}
	space_release_routes(s, gone, n);
	datapath_remove_bindings(s->datapath, gone, n);
	for (size_t i = 0; i < n; i++)
		free(gone[i]);
}

void space_forget_bindings(struct space *s, const struct listener *l, uint64_t after)
{
	forget(s, &(struct which){.listener = l, .after = after});
}

void space_forget_binding(struct space *s, struct binding *b)
{
	forget(s, &(struct which){.one = b});
}

void space_forget_listener(struct space *s, struct listener *l)
{
	space_forget_bindings(s, l, 0);
	datapath_remove_listener(s->datapath, l);
	table_remove_listener(&s->table, l);
	if (s->table.n_listeners == 0)
		s->empty_since = boottime_ms();
}

bool space_listener_alive(struct space *s, struct listener *l)
{
	bool any = false;

	for (size_t i = 0; i < l->n_members; i++) {
		struct member *m = &l->members[i];

		if (!m->dead && !datapath_member_alive(s->datapath, m)) {
			m->dead = true;
			/* a UDP socket is dead when its program has connected it: see may_answer() */
			if (l->protocol != IPPROTO_UDP)
				datapath_drop_socket(s->datapath, m);
		}
		any |= !m->dead;
	}
	return any;
}

/* All at once: thousands may have died together, and one by one each would have what it shared written anew.
 */
static void forget_dead(struct space *s)
{
	struct table *t = &s->table;

	forget(s, &(struct which){.dead = true});
	for (size_t i = 0; i < t->n_listeners; i++) {
		if (t->listeners[i]->dead)
			datapath_remove_listener(s->datapath, t->listeners[i]);
	}
	table_remove_dead(t);
	if (t->n_listeners == 0)
		s->empty_since = boottime_ms();
}

/*
 * A UDP socket that its program has connected to a client is no listener any
 * more, but what it sends are answers, which the reply program knows by what the
 * listener is bound to: its own bindings.
 */
static bool may_answer(const struct space *s, const struct listener *l)
{
	for (size_t i = 0; i < l->n_members && l->protocol == IPPROTO_UDP; i++) {
		if (datapath_member_open(s->datapath, &l->members[i]))
			return true;
	}
	return false;
}

/* Marks it as what it is now. Is it another thing than before? */
static bool sweep_listener(struct space *s, struct listener *l)
{
	bool answering = may_answer(s, l);
	char where[LISTENER_TEXT];

	if (l->answering && answering)
		return false;
	if (!l->answering) {
		listener_format(l, where);
		log_info("listener %llu (%s, %s): gone, its coverage ends", (unsigned long long)l->id,
			 l->members[0].program, where);
	}
	l->answering = answering;
	l->dead = !answering;
	return true;
}

void space_sweep(struct space *s)
{
	bool any = false;

	/* What the dead had goes to others, and to whom, is not known yet; of a namespace that is gone, to
	 * none. */
	if (s->blind && datapath_is_stale(s->datapath) <= 0)
		return;
	for (size_t i = s->table.n_listeners; i-- > 0;) {
		if (!space_listener_alive(s, s->table.listeners[i]))
			any |= sweep_listener(s, s->table.listeners[i]);
	}
	if (any)
		forget_dead(s);
}

static bool has_bindings(const struct space *s)
{
	for (size_t i = 0; i < s->table.n_bindings; i++) {
		if (!s->table.bindings[i]->own)
			return true;
	}
	return false;
}

void space_keep_diag(struct space *s, int diag)
{
	if (s->diag < 0 && has_bindings(s))
		s->diag = diag;
	else
		close(diag);
}

/* Keeps a sock_diag socket only while somebody may be in the way of a binding: it keeps the namespace alive.
 */
static void watch_holders(struct space *s)
{
	if (!has_bindings(s)) {
		if (s->diag >= 0)
			close(s->diag);
		s->diag = -1;
		return;
	}
	if (s->diag < 0 || !space_has_wide(s))
		return;
	if (space_look(s, s->diag, false, false) < 0)
		log_warn("namespace %llu: its sockets cannot be listed", (unsigned long long)s->netns_ino);
}

void space_look_again(struct space *s)
{
	if (s->diag >= 0 && boottime_ms() - s->looked_at >= LOOK_MS)
		space_look(s, s->diag, false, false);
}

static void stop_replies(struct space *s)
{
	int err;

	if (s->netns < 0)
		return;
	err = netns_attach_reply(s->netns, -1);
	if (err)
		log_warn("namespace %llu: the reply program cannot be taken away: %s",
			 (unsigned long long)s->netns_ino, strerror(-err));
	datapath_stop_replies(s->datapath);
	close(s->netns);
	s->netns = -1;
}

int space_start_replies(struct space *s, int netns)
{
	int program = datapath_start_replies(s->datapath), err;

	if (program < 0)
		return program;
	if (s->netns < 0) {
		s->netns = fcntl(netns, F_DUPFD_CLOEXEC, 0);
		if (s->netns < 0)
			return -errno;
	}
	err = netns_attach_reply(netns, program);
	if (err && !has_udp(s))
		stop_replies(s);
	return err;
}

/* Interfaces come, and the last UDP listener goes. */
static void watch_replies(struct space *s)
{
	uint64_t start = boottime_ns();
	int err;

	if (s->netns < 0)
		return;
	if (!has_udp(s)) {
		stop_replies(s);
		return;
	}
	if (start < s->watch_replies_at)
		return;
	err = space_start_replies(s, s->netns);
	s->watch_replies_at = err == -ETIME ? start + REST_NS : 0;
	if (err)
		log_warn("namespace %llu: UDP answers may leave with another address: %s",
			 (unsigned long long)s->netns_ino, strerror(-err));
}

int space_tend(struct space *s)
{
	space_sweep(s);
	if (s->unwritten)
		refresh_all(s);
	watch_holders(s);
	watch_replies(s);
	space_watch_routes(s);
	return space_has_wide(s) || s->netns >= 0 || s->routed >= 0 ? WATCH_MS : SWEEP_MS;
}

/* The reply program may be there for nobody: after a claim or a removal that was interrupted. */
static int catch_up_replies(struct space *s, int netns)
{
	int program;

	if (!has_udp(s) && !datapath_has_replies(s->datapath)) {
		datapath_stop_replies(s->datapath); /* what there may be of them is not in use */
		return 0;
	}
	program = space_start_replies(s, netns);
	watch_replies(s);
	return program;
}

/* An earlier helper's bindings may be half written, and ports may have changed hands since. */
void space_catch_up(struct space *s)
{
	struct netns_view view;
	int netns = netns_find(s->netns_ino), err;

	s->blind = true;
	if (netns < 0) {
		log_warn("namespace %llu: no process is in it; until one asks, its coverage stays as it is",
			 (unsigned long long)s->netns_ino);
		return;
	}
	err = netns_look(netns, &view);
	if (!err) {
		err = space_look(s, view.diag, false, false);
		space_sweep(s);
		space_keep_diag(s, view.diag);
	}
	if (!err)
		err = catch_up_replies(s, netns);
	space_catch_up_routes(s, netns);
	close(netns);
	if (err)
		log_warn("namespace %llu: cannot be looked into: %s", (unsigned long long)s->netns_ino,
			 strerror(-err));
}

struct space *space_new(uint64_t netns_ino, uint32_t uid)
{
	struct space *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->netns_ino = netns_ino;
	s->uid = uid;
	s->diag = s->netns = s->routed = -1;
	s->empty_since = boottime_ms();
	return s;
}

static void free_space(struct space *s)
{
	table_clear(&s->table);
	if (s->diag >= 0)
		close(s->diag);
	if (s->netns >= 0)
		close(s->netns);
	if (s->routed >= 0)
		close(s->routed);
	free(s);
}

void space_close(struct space *s)
{
	datapath_close(s->datapath);
	free_space(s);
}

void space_remove(struct space *s)
{
	stop_replies(s);
	space_drop_routes(s);
	datapath_remove(s->datapath);
	free_space(s);
}
