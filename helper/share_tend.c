// SPDX-License-Identifier: BSD-2-Clause
/* Shares are looked after from time to time, and sockets that no process has any more are closed. */
#include "helper/share_parts.h"

#include <unistd.h>

#include "helper/log.h"
#include "helper/space.h"

#define TICK_MS	   1000
#define AT_ONCE_MS 20	 /* so long shares are looked after before others have their turn */
#define LONG_MS	   5	 /* a share that takes longer is looked after the less often */
#define SELDOM	   100	 /* no more than this part of the time */
#define REST_MAX   10000 /* ms */
#define ANSWER_MS  500	 /* a look that goes on is asked for again, which takes no time */

static void drop_share(struct sharing *sharing, struct share *share)
{
	while (share->n_processes)
		share_drop_process(sharing, share, share->processes[0]);
	shares_remove(&sharing->all, share);
}

bool share_drop_socket(struct sharing *sharing, struct share *share, size_t index)
{
	share_unstore(share, index);
	close(share->sockets[index].fd);
	share_remove_socket(share, index);
	if (!share_is_empty(share))
		return false;
	drop_share(sharing, share);
	return true;
}

static void say_closed(const struct share *share, size_t index)
{
	char where[LISTENER_TEXT], who[SHARE_TEXT];

	listener_format(&share->sockets[index].at, where);
	share_format(share, who);
	log_info("%s: no process has %s any more%s: closed", who, where,
		 share->hold_ms ? ", and it was held as long as was asked" : "");
}

/* Returns when it wants to be looked after again, ms of the clock; 0: the share is gone. */
static uint64_t tend(struct sharing *sharing, struct share *share)
{
	uint64_t now = boottime_ms(), next, rest;
	bool known = share_look(sharing, share);

	next = now + (known ? TICK_MS : ANSWER_MS);
	share->took += boottime_ms() - now;
	if (known) {
		rest = share->took > LONG_MS ? share->took * SELDOM : 0;
		share->rests_until = now + (rest < REST_MAX ? rest : REST_MAX);
		share->took = 0;
	}
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		uint64_t at = share->sockets[i].cookie ? share_closes_at(share, i) : 0;

		if (at > now) {
			next = at < next ? at : next;
		} else if (at) {
			say_closed(share, i);
			if (share_drop_socket(sharing, share, i))
				return 0;
		}
	}
	return next;
}

static uint64_t due_at(const struct share *share)
{
	return share->due > share->rests_until ? share->due : share->rests_until;
}

static struct share *find_next(const struct sharing *sharing)
{
	struct share *next = sharing->all.first;

	for (struct share *share = next; share; share = share->next) {
		if (due_at(share) < due_at(next))
			next = share;
	}
	return next;
}

int share_tend(struct sharing *sharing)
{
	uint64_t start = boottime_ms(), now = start;
	struct share *share;

	share_drop_ended_pending(sharing);
	while ((share = find_next(sharing)) && due_at(share) <= now) {
		uint64_t wish;

		if (now - start > AT_ONCE_MS)
			return 0;
		wish = tend(sharing, share);
		if (wish)
			share->due = wish;
		now = boottime_ms();
	}
	return share ? (int)(due_at(share) - now) : -1;
}

void share_close(struct sharing *sharing)
{
	while (sharing->all.n_pending)
		share_drop_pending(sharing, &sharing->all.pending[0]);
	while (sharing->all.first) {
		struct share *share = sharing->all.first;

		for (size_t i = 0; i < SHARE_SOCKETS; i++) {
			if (share->sockets[i].cookie)
				close(share->sockets[i].fd);
		}
		drop_share(sharing, share);
	}
	close(sharing->epoll);
}
