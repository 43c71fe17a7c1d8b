// SPDX-License-Identifier: BSD-2-Clause
/* The records of shares for SKL_STATUS. */
#include "helper/share_parts.h"

#include <string.h>

#include "helper/space.h"

#define LOOK_MS	   200 /* so often at most processes are looked at because somebody wants to know */
#define AT_ONCE_MS 20  /* so long at most; others wait meanwhile */

static bool may_see(const struct peer *peer, const struct share *share)
{
	return peer->uid == 0 || peer->uid == share->uid;
}

/* Children that a server forked have its sockets, too, and nobody told us. */
static void look(struct sharing *sharing, const struct peer *peer)
{
	struct share *shares[SHARES_SOCKETS];
	uint64_t now = boottime_ms();
	size_t n = 0;

	for (struct share *s = sharing->all.first; s && n < SHARES_SOCKETS; s = s->next) {
		if (!may_see(peer, s) || now - s->shown_at < LOOK_MS)
			continue;
		s->shown_at = now;
		shares[n++] = s;
	}
	if (n == 0)
		return;
	for (size_t i = 0; i < n && boottime_ms() - now <= AT_ONCE_MS; i++)
		share_look(sharing, shares[i]);
	share_look_at_all(sharing, peer->uid, shares, n);
}

static void write_socket(FILE *out, const struct share *share, size_t index)
{
	const struct share_socket *socket = &share->sockets[index];
	struct skl_record_share_socket r = {
		.head = {.kind = SKL_RECORD_SHARE_SOCKET, .length = sizeof(r)},
		.share = share->id,
		.inode = socket->inode,
		.ifindex = socket->at.ifindex,
		.port = socket->at.port,
		.holders = (uint16_t)share_holders(share, index),
		.family = socket->at.family,
		.protocol = socket->at.protocol,
		.v6only = socket->at.v6only,
	};

	memcpy(r.address, socket->at.address, sizeof(r.address));
	fwrite(&r, sizeof(r), 1, out);
}

static void write_member(FILE *out, const struct share *share, const struct share_process *p, uint64_t now)
{
	struct skl_record_share_member r = {
		.head = {.kind = SKL_RECORD_SHARE_MEMBER, .length = sizeof(r)},
		.share = share->id,
		.age_ms = now > p->since ? now - p->since : 0,
		.instance = p->instance,
		.pid = p->pid,
	};

	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		r.holds += p->fd[i] != NOT_OPEN;
		r.joined += p->fd[i] != NOT_OPEN && p->joined >> i & 1;
	}
	memcpy(r.program, p->program, sizeof(r.program));
	fwrite(&r, sizeof(r), 1, out);
}

/* How long it has until its last socket is closed; 0 where a process has one. */
static uint64_t time_left(const struct share *share, uint64_t now)
{
	uint64_t last = 0;

	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		uint64_t at = share->sockets[i].cookie ? share_closes_at(share, i) : 1;

		if (at == 0)
			return 0;
		last = at > last ? at : last;
	}
	return last > now ? last - now : 1;
}

static void write_share(FILE *out, const struct share *share, const struct peer *peer, uint64_t now)
{
	struct skl_record_share r = {
		.head = {.kind = SKL_RECORD_SHARE, .length = sizeof(r)},
		.id = share->id,
		.netns = share->netns,
		.hold_ms = share->hold_ms,
		.left_ms = time_left(share, now),
		.uid = share->uid,
		.asker = peer->pid,
	};

	r.waiting = r.left_ms != 0;
	snprintf(r.name, sizeof(r.name), "%s", share->name);
	fwrite(&r, sizeof(r), 1, out);
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		if (share->sockets[i].cookie)
			write_socket(out, share, i);
	}
	for (size_t i = 0; i < share->n_processes; i++)
		write_member(out, share, share->processes[i], now);
}

void share_status(struct sharing *sharing, FILE *out, const struct peer *peer)
{
	uint64_t now = boottime_ms();

	look(sharing, peer);
	for (const struct share *s = sharing->all.first; s; s = s->next) {
		if (may_see(peer, s))
			write_share(out, s, peer, now);
	}
}
