// SPDX-License-Identifier: BSD-2-Clause
/* The known processes of shares, and of programs that are about to found one: watched for their end. */
#include "helper/share_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "helper/space.h"

int share_watch(struct sharing *sharing, int pidfd)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(sharing->epoll, EPOLL_CTL_ADD, pidfd, &event) < 0 ? -errno : 0;
}

static bool has_ended(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) != 0;
}

/* By name, since another copy of the descriptor may keep it alive, and epoll would tell of it without end. */
static void unwatch(struct sharing *sharing, int pidfd)
{
	if (pidfd < 0)
		return;
	epoll_ctl(sharing->epoll, EPOLL_CTL_DEL, pidfd, NULL);
	close(pidfd);
}

void share_drop_process(struct sharing *sharing, struct share *share, struct share_process *p)
{
	unwatch(sharing, p->pidfd);
	share_remove_process(share, p);
}

void share_drop_pending(struct sharing *sharing, struct share_pending *p)
{
	unwatch(sharing, p->pidfd);
	shares_remove_pending(&sharing->all, p);
}

struct share_process *share_watch_process(struct sharing *sharing, struct share *share, int32_t pid,
					  int pidfd, uint64_t instance, const char program[16])
{
	struct share_process *p = NULL;

	if (pidfd < 0)
		return NULL;
	if (share_watch(sharing, pidfd) == 0)
		p = share_add_process(share, pid, pidfd, instance, boottime_ms());
	if (!p) {
		close(pidfd);
		return NULL;
	}
	memcpy(p->program, program, sizeof(p->program));
	return p;
}

struct share_process *share_know(struct sharing *sharing, struct share *share, const struct peer *peer,
				 uint64_t instance)
{
	struct share_process *p = share_find_process(share, peer->pid);

	if (p && has_ended(p->pidfd)) { /* the number went to another process before we were told */
		share_drop_process(sharing, share, p);
		p = NULL;
	}
	if (!p)
		p = share_watch_process(sharing, share, peer->pid, fcntl(peer->pidfd, F_DUPFD_CLOEXEC, 0),
					instance, peer->program);
	if (p) {
		p->claimed = true;
		p->instance = instance; /* it may have become another program since */
	}
	return p;
}

static bool has_none(const struct share_process *p)
{
	for (size_t j = 0; j < SHARE_SOCKETS; j++) {
		if (p->fd[j] != NOT_OPEN)
			return false;
	}
	return true;
}

void share_drop_gone(struct sharing *sharing, struct share *share)
{
	for (size_t i = share->n_processes; i-- > 0;) {
		struct share_process *p = share->processes[i];

		if (has_ended(p->pidfd) || (!p->claimed && has_none(p)))
			share_drop_process(sharing, share, p);
	}
}

void share_drop_ended_pending(struct sharing *sharing)
{
	for (size_t i = sharing->all.n_pending; i-- > 0;) {
		if (has_ended(sharing->all.pending[i].pidfd))
			share_drop_pending(sharing, &sharing->all.pending[i]);
	}
}

static bool any_has_ended(const struct share *share)
{
	for (size_t i = 0; i < share->n_processes; i++) {
		if (has_ended(share->processes[i]->pidfd))
			return true;
	}
	return false;
}

void share_event(struct sharing *sharing)
{
	share_drop_ended_pending(sharing);
	for (struct share *share = sharing->all.first; share; share = share->next) {
		if (!any_has_ended(share))
			continue;
		share_drop_gone(sharing, share); /* or we would be told of them without end */
		share->due = 0;
	}
}
