// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/connections.h"

#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "helper/discard.h"
#include "helper/space.h"

#define SILENCE_MS 2000

void connections_init(struct connections *c, int epoll)
{
	c->epoll = epoll;
	for (size_t i = 0; i < CONNECTIONS; i++)
		c->at[i] = (struct connection){.fd = -1, .peer.pidfd = -1};
}

static bool has_something(const struct connection *one)
{
	struct pollfd ready = {.fd = one->fd, .events = POLLIN};

	return poll(&ready, 1, 0) != 0;
}

bool connection_is_asking(const struct connection *one)
{
	return one->fd >= 0 && !one->asks && has_something(one);
}

static bool is_silent(const struct connection *one)
{
	return one->fd >= 0 && !one->asks && !has_something(one);
}

static size_t count_quiet(const struct connections *c, uint32_t uid)
{
	size_t n = 0;

	for (size_t i = 0; i < CONNECTIONS; i++)
		n += c->at[i].fd >= 0 && !c->at[i].asks && c->at[i].peer.uid == uid;
	return n;
}

static struct connection *oldest_silent(struct connections *c, uint32_t uid)
{
	struct connection *oldest = NULL;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		struct connection *one = &c->at[i];

		if (one->fd >= 0 && one->peer.uid == uid && (!oldest || one->deadline < oldest->deadline) &&
		    is_silent(one))
			oldest = one;
	}
	return oldest;
}

static struct connection *free_place(struct connections *c)
{
	for (size_t i = 0; i < CONNECTIONS; i++) {
		if (c->at[i].fd < 0)
			return &c->at[i];
	}
	return NULL;
}

/* Rare: it takes several users to fill all places. */
static struct connection *of_the_greediest(struct connections *c)
{
	struct connection *found = NULL;
	size_t most = 0;

	for (size_t i = 0; i < CONNECTIONS; i++) {
		size_t n = is_silent(&c->at[i]) ? count_quiet(c, c->at[i].peer.uid) : 0;

		if (n > most) {
			most = n;
			found = oldest_silent(c, c->at[i].peer.uid);
		}
	}
	return found;
}

struct connection *connections_place(struct connections *c, uint32_t uid, uint32_t most)
{
	struct connection *place = NULL;

	if (count_quiet(c, uid) >= most)
		place = oldest_silent(c, uid);
	if (!place && c->n_open < CONNECTIONS)
		return free_place(c);
	if (!place)
		place = of_the_greediest(c);
	if (place)
		connections_end(c, place);
	return place;
}

int connections_begin(struct connections *c, struct connection *place, int fd, struct peer *peer,
		      uint32_t tag)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET,
				    .data.u64 = (uint64_t)tag << 32 | (uint64_t)(place - c->at)};

	if (epoll_ctl(c->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	*place = (struct connection){.fd = fd, .deadline = boottime_ms() + SILENCE_MS, .peer = *peer};
	*peer = (struct peer){.pidfd = -1};
	c->n_open++;
	return 0;
}

void connections_end(struct connections *c, struct connection *one)
{
	/* it may be closed only when its place has another */
	epoll_ctl(c->epoll, EPOLL_CTL_DEL, one->fd, NULL);
	discard(one->fd);
	peer_close(&one->peer);
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
		uint64_t last = one->asks ? quota_turn(&c->askers, one->peer.uid) : 0;

		if (!one->asks)
			continue;
		if (!next || last < turn || (last == turn && one->deadline < next->deadline)) {
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
		peer_close(&c->at[i].peer);
		c->at[i].fd = -1;
	}
}
