// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper/broker/broker.h"
#include "helper/discard.h"
#include "helper/log.h"
#include "helper/rules/policy.h"
#include "helper/server/connections.h"
#include "helper/server/parts.h"
#include "helper/tracing.h"

#define ACCEPTED_MAX  64 /* in one round; then requests are looked at, and perhaps one is served */
#define ACCEPTING_MS  10 /* while more wait than that, one is served only so often */
#define EXPECTED_MAX  256
#define EXPECTED_EACH 64   /* of one user; root has no such limit */
#define EXPECTED_ROOT 64   /* for root alone, however many users there are */
#define WATCH_MS      500  /* after a request, until everything is looked after again */
#define LINGER_MS     2000 /* an idle helper waits for a program that forks before it listens */

/* A process that is about to become a program that claims. */
struct expected {
	int pidfd; /* -1: free */
	pid_t pid;
	uid_t uid;
};

struct server {
	struct spaces *spaces;
	struct sharing *sharing;
	struct policy_file *policy;
	bool exit_idle;
	bool inherited;				      /* the socket is the service manager's */
	char address[sizeof(struct sockaddr_un) + 1]; /* of the socket */
	int listener, epoll, signals;
	struct connections connections;
	bool more_wait; /* than were accepted in the last round */
	bool paused;	/* no connection is accepted until the next tick */
	struct expected expected[EXPECTED_MAX];
	uint64_t idle_since, next_tick; /* ms; 0: not idle, never */
	struct tracing tracing;
	uint64_t next_tracing; /* ms: when watchers are told; 0: there are none */
	uint64_t next_shares;  /* when shares are looked after; 0: never */
	uint64_t served;       /* ms: when a request was served last */
};

/* What epoll hands back: the kind in the high half, an index in the low one. */
enum source {
	FROM_LISTENER,
	FROM_SIGNALS,
	FROM_BROKER,
	FROM_SHARES,
	FROM_TRACING,
	FROM_CONNECTION,
	FROM_EXPECTED
};

static int watch(struct server *s, int fd, enum source source, size_t index)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)source << 32 | index};

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}

int server_expect(struct server *s, struct peer *peer, struct say *said)
{
	size_t i, mine = 0, others = 0;
	int err;

	if (!s->exit_idle)
		return 0;
	if (peer->pidfd < 0)
		return say_error(said, ESRCH, "request",
				 "the process that asks is not visible to the helper");
	for (i = 0; i < EXPECTED_MAX; i++) {
		if (s->expected[i].pidfd >= 0 && s->expected[i].pid == peer->pid)
			return 0;
		mine += s->expected[i].pidfd >= 0 && s->expected[i].uid == peer->uid;
		others += s->expected[i].pidfd >= 0 && s->expected[i].uid != 0;
	}
	for (i = 0; i < EXPECTED_MAX && s->expected[i].pidfd >= 0; i++)
		;
	if (i == EXPECTED_MAX ||
	    (peer->uid != 0 && (mine >= EXPECTED_EACH || others >= EXPECTED_MAX - EXPECTED_ROOT)))
		return say_error(said, EMFILE, "request", "the helper expects %d programs already",
				 EXPECTED_MAX);
	err = watch(s, peer->pidfd, FROM_EXPECTED, i);
	if (err)
		return say_error(said, -err, "request", "the process that asks cannot be watched");
	s->expected[i] = (struct expected){.pidfd = peer->pidfd, .pid = peer->pid, .uid = peer->uid};
	peer->pidfd = -1;
	return 0;
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

/* Without a descriptor left, connections wait in the queue until the next tick; epoll would tell of them
 * without end. */
static void pause_accepting(struct server *s)
{
	log_warn("no descriptor left for another connection: waits");
	epoll_ctl(s->epoll, EPOLL_CTL_DEL, s->listener, NULL);
	s->paused = true;
	tick_within(s, WATCH_MS);
}

static struct claimant claimant_of(const struct server *s, const struct peer *p)
{
	return (struct claimant){.uid = p->uid,
				 .gid = p->gid,
				 .groups = p->groups,
				 .n_groups = p->n_groups,
				 .policy = s->policy->now};
}

/* Asks for patience; in the log once a second, or who asks too often would fill that. */
static void turn_away(struct server *s, struct connection *c, uint32_t wait_ms)
{
	const struct peer *peer = connection_peer(&s->connections, c);
	struct say said = {0};
	int err;

	if (wait_ms)
		err = say_error(&said, EAGAIN, "request",
				"uid %u asks too often (try again in %u ms; requests-per-second in %s)",
				peer->uid, wait_ms, s->policy->path);
	else
		err = say_error(&said, EAGAIN, "request",
				"too many requests of uid %u wait already (try again when some are answered)",
				peer->uid);
	if (quota_is_news(&s->connections.askers, peer->uid, boottime_ns()))
		log_notice("uid %u pid %d: refused: %s", peer->uid, peer->pid, said.text);
	server_turn_away(c->fd, err, &said);
	connections_end(&s->connections, c);
}

static void begin(struct server *s, int fd, struct peer *peer)
{
	struct claimant who = claimant_of(s, peer);
	struct connection *place =
		connections_place(&s->connections, peer->uid, policy_quota(&who, QUOTA_CONNECTIONS));

	if (place->fd >= 0 && place->asks)
		turn_away(s, place, 0);
	else if (place->fd >= 0)
		connections_end(&s->connections, place);
	if (connections_begin(&s->connections, place, fd, peer, FROM_CONNECTION) < 0)
		hang_up(fd);
}

/* False when nobody waits, or nobody can be let in. */
static bool accept_one(struct server *s)
{
	int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct peer peer;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			pause_accepting(s);
		return false;
	}
	if (peer_identify(fd, &peer) == 0)
		begin(s, fd, &peer);
	else
		hang_up(fd);
	peer_close(&peer);
	return true;
}

static void accept_some(struct server *s)
{
	int n = 0;

	while (n < ACCEPTED_MAX && accept_one(s))
		n++;
	s->more_wait = n == ACCEPTED_MAX;
}

static void on_request(struct server *s, struct connection *c)
{
	struct claimant who = claimant_of(s, connection_peer(&s->connections, c));
	uint32_t wait_ms;

	wait_ms =
		quota_take(&s->connections.askers, c->uid, policy_quota(&who, QUOTA_REQUESTS), boottime_ns());
	if (wait_ms || (c->uid != 0 && connections_asking(&s->connections, c->uid) >= ASKING_EACH))
		turn_away(s, c, wait_ms);
	else
		c->asks = true;
}

static void on_connection(struct server *s, struct connection *c)
{
	switch (connection_look(c)) {
	case CONNECTION_ASKS:
		on_request(s, c);
		break;
	case CONNECTION_GONE:
		connections_end(&s->connections, c);
		break;
	case CONNECTION_WAITS:
		break;
	}
}

/* One request, whoever's turn it is: as far as all who wait are known. */
static void serve_next(struct server *s)
{
	struct connection *c;

	if (s->more_wait && boottime_ms() - s->served < ACCEPTING_MS)
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

static void end_expected(struct server *s, size_t i)
{
	close(s->expected[i].pidfd);
	s->expected[i].pidfd = -1;
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
		accept_some(s);
		break;
	case FROM_CONNECTION:
		on_connection(s, &s->connections.at[index]);
		break;
	case FROM_SHARES:
		share_event(s->sharing);
		s->next_shares = 1;
		break;
	case FROM_TRACING:
		tracing_event(&s->tracing, s->spaces);
		break;
	case FROM_EXPECTED:
		end_expected(s, index);
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
	if (!spaces_empty(s->spaces) || !share_none(s->sharing) || s->connections.n_open)
		return false;
	for (size_t i = 0; i < EXPECTED_MAX; i++) {
		if (s->expected[i].pidfd >= 0)
			return false;
	}
	return true;
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
		if (s->paused && watch(s, s->listener, FROM_LISTENER, 0) == 0)
			s->paused = false;
		tick = s->paused ? WATCH_MS : spaces_tick(s->spaces);
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
		s->more_wait = false;
		for (int i = 0; i < n; i++) {
			int end = on_event(s, &events[i]);

			if (end)
				return end < 0 ? end : 0;
		}
		serve_next(s);
	}
}

static int open_signals(struct server *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? -errno : 0;
}

static int open_listener(struct server *s, const struct server_options *options)
{
	struct sockaddr_un address = {0};
	socklen_t length = sizeof(address);

	s->listener = activation_socket();
	s->inherited = s->listener >= 0;
	if (s->listener == -ENOENT)
		s->listener = socket_open(options);
	if (s->listener < 0)
		return s->listener;
	if (getsockname(s->listener, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	snprintf(s->address, sizeof(s->address), "%.*s", (int)sizeof(address.sun_path), address.sun_path);
	return watch(s, s->listener, FROM_LISTENER, 0);
}

const char *server_address(const struct server *s)
{
	return s->address;
}

int server_open(struct server **out, const struct server_options *options, struct policy_file *policy,
		struct spaces *spaces, struct sharing *sharing)
{
	struct server *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->spaces = spaces;
	s->sharing = sharing;
	s->policy = policy;
	s->exit_idle = options->exit_idle;
	s->listener = s->signals = -1;
	s->next_tick = s->next_shares = 1;
	for (size_t i = 0; i < EXPECTED_MAX; i++)
		s->expected[i].pidfd = -1;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	connections_init(&s->connections, s->epoll);
	s->tracing.epoll = -1;
	err = s->epoll < 0 ? -errno : 0;
	if (!err)
		err = open_signals(s);
	if (!err)
		err = watch(s, s->signals, FROM_SIGNALS, 0);
	if (!err)
		err = watch(s, broker_fd(), FROM_BROKER, 0);
	if (!err)
		err = watch(s, sharing->epoll, FROM_SHARES, 0);
	if (!err)
		err = tracing_open(&s->tracing);
	if (!err)
		err = watch(s, s->tracing.epoll, FROM_TRACING, 0);
	if (!err)
		err = open_listener(s, options);
	if (err) {
		server_close(s);
		return err;
	}
	*out = s;
	return 0;
}

/* By the broker: this process does not see it any more. */
static void unlink_socket(void)
{
	struct broker_request request = {.order = BROKER_UNLINK_SOCKET};
	struct broker_answer answer;
	int none;

	broker_call(&request, -1, -1, &answer, &none);
}

void server_close(struct server *s)
{
	if (s->listener >= 0 && !s->inherited)
		unlink_socket();
	connections_close(&s->connections);
	tracing_close(&s->tracing);
	for (size_t i = 0; i < EXPECTED_MAX; i++) {
		if (s->expected[i].pidfd >= 0)
			end_expected(s, i);
	}
	if (s->listener >= 0)
		close(s->listener);
	if (s->signals >= 0)
		close(s->signals);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}
