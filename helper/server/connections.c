// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/connections.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "helper/discard.h"
#include "helper/space.h"

#define SILENCE_MS 2000
#define MOMENT_MS                                                                                            \
	100 /* nobody is called silent before: a crowd of programs may start, and the machine be slow */
#define EACH_AT_MOST (CONNECTIONS / 4)

void connections_init(struct connections *c, int epoll)
{
	c->epoll = epoll;
	for (size_t i = 0; i < CONNECTIONS; i++)
		c->at[i] = (struct connection){.fd = -1};
}

struct peer *connection_peer(struct connections *c, const struct connection *one)
{
	return &c->peers[one - c->at];
}

static bool has_something(const struct connection *one)
{
	struct pollfd ready = {.fd = one->fd, .events = POLLIN};

	return poll(&ready, 1, 0) > 0;
}

enum connection_state connection_look(const struct connection *one)
{
	struct pollfd ready = {.fd = one->fd, .events = POLLIN};

	if (one->fd < 0 || one->asks || poll(&ready, 1, 0) <= 0)
		return CONNECTION_WAITS;
	return ready.revents & POLLHUP ? CONNECTION_GONE : CONNECTION_ASKS;
}

static bool is_silent(const struct connection *one)
{
	return one->fd >= 0 && !one->asks && !has_something(one);
}

static size_t count(const struct connections *c, uint32_t uid, bool asks)
{
	size_t n = 0;

	for (size_t i = 0; i < CONNECTIONS; i++)
		n += c->at[i].fd >= 0 && c->at[i].asks == asks && c->at[i].uid == uid;
	return n;
}

size_t connections_asking(const struct connections *c, uint32_t uid)
{
	return count(c, uid, true);
}

static struct connection *oldest_silent(struct connections *c, uint32_t uid)
{
	struct connection *oldest = NULL;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *one = &c->at[i];

		if (one->uid == uid && (!oldest || one->number < oldest->number) && is_silent(one))
			oldest = one;
	}
	return oldest;
}

static struct connection *newest(struct connections *c, uint32_t uid)
{
	struct connection *newest = NULL;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *one = &c->at[i];

		if (one->fd >= 0 && one->uid == uid && (!newest || one->number > newest->number))
			newest = one;
	}
	return newest;
}

/* Whose connections are most; all places are taken. */
static uint32_t greediest(const struct connections *c)
{
	uint32_t uid = c->at[0].uid;
	size_t most = 0;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		uint32_t other = c->at[i].uid;
		size_t n =
			i && other == c->at[i - 1].uid ? 0 : count(c, other, true) + count(c, other, false);

		if (n > most) {
			most = n;
			uid = other;
		}
	}
	return uid;
}

struct connection *connections_place(struct connections *c, uint32_t uid, uint32_t most)
{
	struct connection *place = NULL;
	size_t silent = count(c, uid, false);

	if (silent >= most)
		place = oldest_silent(c, uid);
	if (place && silent < EACH_AT_MOST && boottime_ms() < place->deadline - SILENCE_MS + MOMENT_MS)
		place = NULL;
	for (size_t i = 0; !place && c->n_open < CONNECTIONS && i < CONNECTIONS; i++) {
		if (c->at[i].fd < 0)
			place = &c->at[i];
	}
	if (!place)
		place = oldest_silent(c, greediest(c));
	return place ? place : newest(c, greediest(c));
}

int connections_begin(struct connections *c, struct connection *place, int fd, struct peer *peer,
		      uint32_t tag)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET,
				    .data.u64 = (uint64_t)tag << 32 | (uint64_t)(place - c->at)};

	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	*place = (struct connection){
		.fd = fd, .number = c->begun++, .deadline = boottime_ms() + SILENCE_MS, .uid = peer->uid};
	*connection_peer(c, place) = *peer;
	*peer = (struct peer){.pidfd = -1};
	c->n_open++;
	return 0;
}

void connections_end(struct connections *c, struct connection *one)
{
	/* it may be closed only when its place has another */
	epoll_ctl(c->epoll, EPOLL_CTL_DEL, one->fd, NULL);
	hang_up(one->fd);
	peer_close(connection_peer(c, one));
	one->fd = -1;
	one->asks = false;
	c->n_open--;
}

struct connection *connections_next(struct connections *c)
{
	struct connection *next = NULL;
	uint64_t turn = 0;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *one = &c->at[i];
		uint64_t last = one->asks ? quota_turn(&c->askers, one->uid) : 0;

		if (!one->asks)
			continue;
		if (!next || last < turn || (last == turn && one->number < next->number)) {
			next = one;
			turn = last;
		}
	}
	return next;
}

uint64_t connections_close_silent(struct connections *c, uint64_t now_ms)
{
	uint64_t next = 0;

	for (size_t i = 0; c->n_open && i < CONNECTIONS; i++) {
		struct connection *one = &c->at[i];

		if (one->fd < 0 || one->asks)
			continue;
		if (one->deadline <= now_ms && !has_something(one))
			connections_end(c, one);
		else if (one->deadline > now_ms && (next == 0 || one->deadline < next))
			next = one->deadline;
	}
	return next;
}

void connections_close(struct connections *c)
{
	for (size_t i = 0; i < CONNECTIONS; i++) {
		if (c->at[i].fd < 0)
			continue;
		close(c->at[i].fd);
		peer_close(&c->peers[i]);
		c->at[i].fd = -1;
	}
}
