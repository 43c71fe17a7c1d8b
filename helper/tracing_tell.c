// SPDX-License-Identifier: BSD-2-Clause
/* What the kernel wrote, put into words for those who may know. */
#include "helper/tracing_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "bpf/maps.h"

#define MOST 4096 /* in one go; the ring buffer has room for about as many */

_Static_assert(SKL_GIVEN == (int)SKL_DECISION_GIVEN && SKL_GONE == (int)SKL_DECISION_GONE &&
		       SKL_REFUSED == (int)SKL_DECISION_REFUSED &&
		       SKL_ELSEWHERE == (int)SKL_DECISION_ELSEWHERE &&
		       SKL_OWN_PORT == (int)SKL_DECISION_OWN_PORT &&
		       SKL_NO_PREFIX == (int)SKL_DECISION_NO_PREFIX &&
		       SKL_UNCOVERED == (int)SKL_DECISION_UNCOVERED,
	       "a verdict is told as it is");

/* ---- what is asked for ---- */

static void add_range(__u64 ports[1024], unsigned int first, unsigned int last)
{
	const __u64 from = ~0ull << first % 64, to = ~0ull >> (63 - last % 64);

	/* by words: somebody may watch many ranges, and the next request waits meanwhile */
	for (unsigned int word = first / 64; word <= last / 64; word++)
		ports[word] |= (word == first / 64 ? from : ~0ull) & (word == last / 64 ? to : ~0ull);
}

/* Of a user's own: the cost of watching is not put on others. */
static void add_own(__u64 ports[1024], const struct space *s, const struct watcher *w)
{
	for (size_t i = 0; i < s->table.n_bindings; i++) {
		const struct binding *b = s->table.bindings[i];

		if (b->uid != w->uid)
			continue;
		if (!w->port)
			add_range(ports, b->rule.first, b->rule.last);
		else if (rule_has_port(&b->rule, w->port))
			add_range(ports, w->port, w->port);
	}
}

void tracing_set_ports(const struct tracing *t, struct space *s)
{
	struct skl_watch wanted = {0}, *watch = datapath_watch(s->datapath);

	for (size_t i = 0; i < t->n; i++) {
		const struct watcher *w = t->watchers[i];

		if (w->netns_ino != s->netns_ino)
			continue;
		if (!w->sees_all) {
			add_own(wanted.covered, s, w);
		} else if (w->port) {
			add_range(wanted.covered, w->port, w->port);
			add_range(wanted.uncovered, w->port, w->port);
		} else {
			memset(wanted.covered, 0xff, sizeof(wanted.covered));
		}
	}
	memcpy(watch->covered, wanted.covered, sizeof(wanted.covered));
	memcpy(watch->uncovered, wanted.uncovered, sizeof(wanted.uncovered));
}

/* ---- who is meant ---- */

/* The bindings by their numbers and the listeners by their slots, for one reading. */
struct index {
	const struct binding *bindings[SKL_BINDINGS];
	const struct listener *listeners[SKL_SLOTS]; /* by the slot of the first member */
};

static struct index *make_index(const struct table *t)
{
	struct index *index = calloc(1, sizeof(*index));

	for (size_t i = 0; index && i < t->n_bindings; i++) {
		if (!t->bindings[i]->own)
			index->bindings[t->bindings[i]->index] = t->bindings[i];
	}
	for (size_t i = 0; index && i < t->n_listeners; i++)
		index->listeners[t->listeners[i]->members[0].slot] = t->listeners[i];
	return index;
}

/*
 * Numbers are used again. A decision is about who has them now only if he had
 * them then; one about nobody that is known any more is for those who see all.
 */
static const struct listener *find_listener(const struct index *index, const struct skl_decision *d)
{
	const struct listener *l = d->slot ? index->listeners[d->slot % SKL_SLOTS] : NULL;

	return l && l->members[0].since <= d->time ? l : NULL;
}

static const struct binding *find_binding(const struct index *index, const struct listener *l,
					  const struct skl_decision *d)
{
	const struct binding *b = d->binding ? index->bindings[d->binding % SKL_BINDINGS] : NULL;

	return b && b->listener == l && b->since <= d->time ? b : NULL;
}

/* The socket that was chosen; without one, the listener's first. */
static const struct member *find_member(const struct listener *l, const struct skl_decision *d)
{
	for (size_t i = 0; i < l->n_members; i++) {
		if (l->members[i].slot == d->member)
			return &l->members[i];
	}
	return &l->members[0];
}

/* ---- what is told ---- */

struct telling {
	struct tracing *tracing;
	const struct space *space;
	struct index *index;
	uint64_t to_real; /* to be added to CLOCK_BOOTTIME */
};

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void set_binding(struct skl_record_decision *r, const struct binding *b)
{
	r->binding = b->id;
	r->binding_first = b->rule.first;
	r->binding_last = b->rule.last;
	r->prefixlen = b->rule.prefix.length;
	memcpy(r->prefix, b->rule.prefix.address, sizeof(r->prefix));
}

static void set_listener(struct skl_record_decision *r, const struct listener *l,
			 const struct skl_decision *d)
{
	const struct member *m = find_member(l, d);

	r->listener = l->id;
	r->uid = m->uid;
	r->pid = m->pid;
	memcpy(r->program, m->program, sizeof(r->program));
}

bool tracing_send(struct watcher *w)
{
	struct skl_record_lost lost = {.head = {.kind = SKL_RECORD_LOST, .length = sizeof(lost)}};
	size_t records = w->used / sizeof(struct skl_record_decision);

	if (w->used && send(w->fd, w->message, w->used, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
		if (errno != EAGAIN && errno != EMSGSIZE && errno != ENOBUFS && errno != ENOMEM)
			return false;
		w->lost += records;
	}
	w->used = 0;
	if (w->lost == 0)
		return true;
	lost.count = w->lost;
	if (send(w->fd, &lost, sizeof(lost), MSG_DONTWAIT | MSG_NOSIGNAL) == sizeof(lost))
		w->lost = 0;
	return true;
}

static bool may_see(const struct watcher *w, const struct skl_record_decision *r)
{
	return w->sees_all || (r->listener && r->uid == w->uid);
}

static bool wants(const struct watcher *w, const struct skl_record_decision *r)
{
	if (w->port)
		return w->port == r->port;
	return r->kind != SKL_DECISION_UNCOVERED; /* somebody else asked for that */
}

static void on_decision(void *context, const struct skl_decision *d)
{
	struct telling *t = context;
	const struct listener *l = find_listener(t->index, d);
	const struct binding *b = find_binding(t->index, l, d);
	struct skl_record_decision r = {
		.head = {.kind = SKL_RECORD_DECISION, .length = sizeof(r)},
		.time_ns = d->time + t->to_real,
		.kind = d->verdict,
		.error = d->verdict == SKL_REFUSED ? (uint32_t)-d->error : 0,
		.ifindex = d->ifindex,
		.port = d->port,
		.client_port = d->client_port,
		.family = d->family,
		.protocol = d->protocol,
	};

	memcpy(r.address, d->address, sizeof(r.address));
	memcpy(r.client, d->client, sizeof(r.client));
	if (l)
		set_listener(&r, l, d);
	if (l && b)
		set_binding(&r, b);
	for (size_t i = 0; i < t->tracing->n; i++) {
		struct watcher *w = t->tracing->watchers[i];

		if (w->netns_ino != t->space->netns_ino || !may_see(w, &r) || !wants(w, &r))
			continue;
		if (w->used + sizeof(r) > sizeof(w->message))
			tracing_send(w); /* whether he has gone is found out soon enough */
		memcpy(w->message + w->used, &r, sizeof(r));
		w->used += sizeof(r);
	}
}

/* What did not fit into the ring buffer may have been about anybody. */
static void count_lost(struct tracing *t, const struct space *s)
{
	uint64_t lost = __atomic_load_n(&datapath_watch(s->datapath)->lost, __ATOMIC_RELAXED);

	for (size_t i = 0; i < t->n; i++) {
		struct watcher *w = t->watchers[i];

		if (w->netns_ino != s->netns_ino)
			continue;
		w->lost += lost - w->lost_before;
		w->lost_before = lost;
	}
}

void tracing_tell(struct tracing *t, struct space *s)
{
	struct telling telling = {
		.tracing = t, .space = s, .to_real = now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME)};

	telling.index = make_index(&s->table);
	if (!telling.index)
		return;
	datapath_read_decisions(s->datapath, MOST, on_decision, &telling);
	free(telling.index);
	count_lost(t, s);
	tracing_set_ports(t, s);
}
