// SPDX-License-Identifier: BSD-2-Clause
/* The loop: what is told, what is due, and whose turn it is. */
#include "helper/server/state.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "helper/broker/broker.h"
#include "helper/log.h"
#include "helper/server/parts.h"
#include "helper/server/source.h"

#define ACCEPTING_MS 10	  /* while more wait than one round accepts, one is served only so often */
#define WATCH_MS     500  /* after a request, until everything is looked after again */
#define LINGER_MS    2000 /* an idle helper waits for a program that forks before it listens */

int server_expect(struct server *s, struct peer *peer, struct say *said)
{
	return s->exit_idle ? expected_add(&s->expected, peer, said) : 0;
}

/* There may be something to watch now. */
static void tick_within(struct server *s, uint64_t ms)
{
	uint64_t at = boottime_ms() + ms;

	if (s->next_tick == 0 || s->next_tick > at)
		s->next_tick = at;
}

/* There may be others than before: they are looked after soon, and then as often as they want. */
static void look_at_shares(struct server *s)
{
	uint64_t at = boottime_ms() + WATCH_MS;

	if (!share_none(s->sharing) && (s->next_shares == 0 || s->next_shares > at))
		s->next_shares = at;
}

/* Before what decisions are about becomes another, watchers are told. */
static void tell_watchers(struct server *s)
{
	int again;

	if (!s->next_tracing)
		return;
	again = tracing_tend(&s->tracing, s->spaces);
	s->next_tracing = again < 0 ? 0 : boottime_ms() + (uint64_t)again;
}

int server_trace(struct server *s, const struct peer *peer, const char *text, size_t length, int sock,
		 struct say *said)
{
	int err = tracing_add(&s->tracing, s->spaces, peer, text, length, sock, said);

	if (!err)
		s->next_tracing = boottime_ms();
	return err;
}

/* One request, whoever's turn it is: as far as all who wait are known. */
static void serve_next(struct server *s)
{
	struct connection *c;

	if (s->arrivals.more_wait && boottime_ms() - s->served < ACCEPTING_MS)
		return;
	c = connections_next(&s->connections);
	if (!c)
		return;
	quota_serve(&s->connections.askers, c->uid);
	tell_watchers(s);
	server_serve(s, c->fd, connection_peer(&s->connections, c));
	connections_end(&s->connections, c);
	tell_watchers(s); /* it may have made the namespace that they wait for */
	s->served = boottime_ms();
	tick_within(s, WATCH_MS);
	look_at_shares(s);
}

/* 0: go on; 1: leave; -errno: leave with this. */
static int on_signal(struct server *s)
{
	struct signalfd_siginfo info;

	if (read(s->signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo == SIGHUP) {
		policy_file_load(s->policy);
		return 0;
	}
	log_notice("ends by signal %u; coverage stays in place", info.ssi_signo);
	return 1;
}

/* As on_signal(). */
static int on_event(struct server *s, const struct epoll_event *event)
{
	size_t index = event->data.u64 & 0xffffffff;

	switch ((enum source)(event->data.u64 >> 32)) {
	case FROM_LISTENER:
		arrivals_accept(&s->arrivals);
		if (s->arrivals.paused)
			tick_within(s, WATCH_MS);
		break;
	case FROM_CONNECTION:
		arrivals_event(&s->arrivals, &s->connections.at[index]);
		break;
	case FROM_SHARES:
		share_event(s->sharing);
		s->next_shares = 1;
		break;
	case FROM_TRACING:
		tracing_event(&s->tracing, s->spaces);
		break;
	case FROM_EXPECTED:
		expected_end(&s->expected, index);
		break;
	case FROM_SIGNALS:
		return on_signal(s);
	case FROM_BROKER:
		if (!broker_has_ended())
			break;
		log_error("its process for other namespaces has ended: leaves, to be started anew; coverage "
			  "stays in place");
		return -ECHILD;
	}
	return 0;
}

static bool is_idle(const struct server *s)
{
	return spaces_empty(s->spaces) && share_none(s->sharing) && !s->connections.n_open &&
	       expected_none(&s->expected);
}

static uint64_t sooner(uint64_t a, uint64_t b)
{
	return b == 0 || (a != 0 && a < b) ? a : b;
}

/* What is to be done by time. Returns the ms until it wants to run again, or -1; *leave when idle for long.
 */
static int on_time(struct server *s, bool *leave)
{
	uint64_t now = boottime_ms(), next;
	int tick;

	if ((s->next_tick && s->next_tick <= now) || (s->next_tracing && s->next_tracing <= now))
		tell_watchers(s);
	if (s->next_tick && s->next_tick <= now) {
		if (s->arrivals.paused)
			arrivals_watch(&s->arrivals);
		tick = s->arrivals.paused ? WATCH_MS : spaces_tick(s->spaces);
		s->next_tick = tick < 0 ? 0 : now + (uint64_t)tick;
	}
	if (s->next_shares && s->next_shares <= now) {
		tick = share_tend(s->sharing);
		s->next_shares = tick < 0 ? 0 : now + (uint64_t)tick;
	}
	next = sooner(connections_close_silent(&s->connections, now), s->next_tick);
	next = sooner(next, s->next_shares);
	next = sooner(next, s->next_tracing);
	if (!s->exit_idle || !is_idle(s)) {
		s->idle_since = 0;
	} else {
		if (!s->idle_since)
			s->idle_since = now;
		*leave = now - s->idle_since >= LINGER_MS;
		next = sooner(next, s->idle_since + LINGER_MS);
	}
	if (next == 0)
		return -1;
	return next > now ? (int)(next - now) : 0;
}

struct claims server_claims(const struct server *s)
{
	return (struct claims){.spaces = s->spaces, .sharing = s->sharing, .policy = s->policy->now};
}

int server_run(struct server *s)
{
	struct epoll_event
		events[CONNECTIONS]; /* all at once, so that it is known who asks before one is served */
	bool leave = false;

	for (;;) {
		int wait = on_time(s, &leave), n;

		if (leave)
			return 1;
		if (connections_next(&s->connections))
			wait = 0;
		n = epoll_wait(s->epoll, events, sizeof(events) / sizeof(events[0]), wait);
		if (n < 0 && errno != EINTR)
			return -errno;
		s->arrivals.more_wait = false;
		for (int i = 0; i < n; i++) {
			int end = on_event(s, &events[i]);

			if (end)
				return end < 0 ? end : 0;
		}
		serve_next(s);
	}
}
