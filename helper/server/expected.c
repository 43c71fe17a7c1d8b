// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/expected.h"

#include <errno.h>
#include <unistd.h>

#include "helper/server/source.h"

#define EXPECTED_EACH 64 /* of one user; root has no such limit */
#define EXPECTED_ROOT 64 /* for root alone, however many users there are */

void expected_init(struct expected *e, int epoll)
{
	e->epoll = epoll;
	for (size_t i = 0; i < EXPECTED_MAX; i++)
		e->at[i].pidfd = -1;
}

int expected_add(struct expected *e, struct peer *peer, struct say *said)
{
	size_t i, mine = 0, others = 0;
	int err;

	if (peer->pidfd < 0)
		return say_error(said, ESRCH, "request",
				 "the process that asks is not visible to the helper");
	for (i = 0; i < EXPECTED_MAX; i++) {
		if (e->at[i].pidfd >= 0 && e->at[i].pid == peer->pid)
			return 0;
		mine += e->at[i].pidfd >= 0 && e->at[i].uid == peer->uid;
		others += e->at[i].pidfd >= 0 && e->at[i].uid != 0;
	}
	for (i = 0; i < EXPECTED_MAX && e->at[i].pidfd >= 0; i++)
		;
	if (i == EXPECTED_MAX ||
	    (peer->uid != 0 && (mine >= EXPECTED_EACH || others >= EXPECTED_MAX - EXPECTED_ROOT)))
		return say_error(said, EMFILE, "request", "the helper expects %d programs already",
				 EXPECTED_MAX);
	err = source_watch(e->epoll, peer->pidfd, FROM_EXPECTED, i);
	if (err)
		return say_error(said, -err, "request", "the process that asks cannot be watched");
	e->at[i] = (struct expected_one){.pidfd = peer->pidfd, .pid = peer->pid, .uid = peer->uid};
	peer->pidfd = -1;
	return 0;
}

void expected_end(struct expected *e, size_t place)
{
	close(e->at[place].pidfd);
	e->at[place].pidfd = -1;
}

bool expected_none(const struct expected *e)
{
	for (size_t i = 0; i < EXPECTED_MAX; i++) {
		if (e->at[i].pidfd >= 0)
			return false;
	}
	return true;
}

void expected_close(struct expected *e)
{
	for (size_t i = 0; i < EXPECTED_MAX; i++) {
		if (e->at[i].pidfd >= 0)
			expected_end(e, i);
	}
}
