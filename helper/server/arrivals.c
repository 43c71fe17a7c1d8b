// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/arrivals.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "helper/discard.h"
#include "helper/log.h"
#include "helper/rules/policy.h"
#include "helper/server/parts.h"
#include "helper/server/source.h"
#include "helper/space.h"

#define ACCEPTED_MAX 64 /* in one round; then requests are looked at, and perhaps one is served */

int arrivals_watch(struct arrivals *a)
{
	int err = source_watch(a->epoll, a->listener, FROM_LISTENER, 0);

	if (!err)
		a->paused = false;
	return err;
}

/* Without a descriptor left, connections wait in the queue until the next tick; epoll would tell of them
 * without end. */
static void pause_accepting(struct arrivals *a)
{
	log_warn("no descriptor left for another connection: waits");
	epoll_ctl(a->epoll, EPOLL_CTL_DEL, a->listener, NULL);
	a->paused = true;
}

static struct claimant claimant_of(const struct arrivals *a, const struct peer *p)
{
	return (struct claimant){.uid = p->uid,
				 .gid = p->gid,
				 .groups = p->groups,
				 .n_groups = p->n_groups,
				 .policy = a->policy->now};
}

/* Asks for patience; in the log once a second, or who asks too often would fill that. */
static void turn_away(struct arrivals *a, struct connection *c, uint32_t wait_ms)
{
	const struct peer *peer = connection_peer(a->connections, c);
	struct say said = {0};
	int err;

	if (wait_ms)
		err = say_error(&said, EAGAIN, "request",
				"uid %u asks too often (try again in %u ms; requests-per-second in %s)",
				peer->uid, wait_ms, a->policy->path);
	else
		err = say_error(&said, EAGAIN, "request",
				"too many requests of uid %u wait already (try again when some are answered)",
				peer->uid);
	if (quota_is_news(&a->connections->askers, peer->uid, boottime_ns()))
		log_notice("uid %u pid %d: refused: %s", peer->uid, peer->pid, said.text);
	server_turn_away(c->fd, err, &said);
	connections_end(a->connections, c);
}

static void begin(struct arrivals *a, int fd, struct peer *peer)
{
	struct claimant who = claimant_of(a, peer);
	struct connection *place =
		connections_place(a->connections, peer->uid, policy_quota(&who, QUOTA_CONNECTIONS));

	if (place->fd >= 0 && place->asks)
		turn_away(a, place, 0);
	else if (place->fd >= 0)
		connections_end(a->connections, place);
	if (connections_begin(a->connections, place, fd, peer, FROM_CONNECTION) < 0)
		hang_up(fd);
}

/* False when nobody waits, or nobody can be let in. */
static bool accept_one(struct arrivals *a)
{
	int fd = accept4(a->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct peer peer;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
			pause_accepting(a);
		return false;
	}
	if (peer_identify(fd, &peer) == 0)
		begin(a, fd, &peer);
	else
		hang_up(fd);
	peer_close(&peer);
	return true;
}

void arrivals_accept(struct arrivals *a)
{
	int n = 0;

	while (n < ACCEPTED_MAX && accept_one(a))
		n++;
	a->more_wait = n == ACCEPTED_MAX;
}

static void on_request(struct arrivals *a, struct connection *c)
{
	struct claimant who = claimant_of(a, connection_peer(a->connections, c));
	uint32_t wait_ms;

	wait_ms = quota_take(&a->connections->askers, c->uid, policy_quota(&who, QUOTA_REQUESTS),
			     boottime_ns());
	if (wait_ms || (c->uid != 0 && connections_asking(a->connections, c->uid) >= ASKING_EACH))
		turn_away(a, c, wait_ms);
	else
		c->asks = true;
}

void arrivals_event(struct arrivals *a, struct connection *c)
{
	switch (connection_look(c)) {
	case CONNECTION_ASKS:
		on_request(a, c);
		break;
	case CONNECTION_GONE:
		connections_end(a->connections, c);
		break;
	case CONNECTION_WAITS:
		break;
	}
}
