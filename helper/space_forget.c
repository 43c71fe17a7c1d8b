// SPDX-License-Identifier: BSD-2-Clause
/* What ends: bindings, listeners that are gone. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "helper/log.h"
#include "helper/space.h"
#include "helper/space_parts.h"
#include "helper/space_routes.h"

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
