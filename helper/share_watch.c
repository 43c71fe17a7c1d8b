// SPDX-License-Identifier: BSD-2-Clause
/* Which processes have the sockets of a share, and the end of those that no process has. */
#include "helper/share_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/broker/holders.h"
#include "helper/log.h"
#include "helper/space.h"

#define TICK_MS	   1000
#define AT_ONCE_MS 20	 /* so long shares are looked after before others have their turn */
#define LONG_MS	   5	 /* a share that takes longer is looked after the less often */
#define SELDOM	   100	 /* no more than this part of the time */
#define REST_MAX   10000 /* ms */

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

static void drop_process(struct sharing *sharing, struct share *share, struct share_process *p)
{
	unwatch(sharing, p->pidfd);
	share_remove_process(share, p);
}

void share_drop_pending(struct sharing *sharing, struct share_pending *p)
{
	unwatch(sharing, p->pidfd);
	shares_remove_pending(&sharing->all, p);
}

/* Takes the pidfd, which is of a process that lives as long as `pid` means it. */
static struct share_process *add_process(struct sharing *sharing, struct share *share, int32_t pid, int pidfd,
					 uint64_t instance, const char program[16])
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
		drop_process(sharing, share, p);
		p = NULL;
	}
	if (!p)
		p = add_process(sharing, share, peer->pid, fcntl(peer->pidfd, F_DUPFD_CLOEXEC, 0), instance,
				peer->program);
	if (p) {
		p->claimed = true;
		p->instance = instance; /* it may have become another program since */
	}
	return p;
}

static void drop_share(struct sharing *sharing, struct share *share)
{
	while (share->n_processes)
		drop_process(sharing, share, share->processes[0]);
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

/* ---- looking ---- */

/* The sockets of some shares in a row. */
struct view {
	size_t n;
	uint64_t inodes[SHARES_SOCKETS];
	struct {
		struct share *share;
		uint8_t index;
	} of[SHARES_SOCKETS];
};

static void view_add(struct view *v, struct share *share)
{
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		if (!share->sockets[i].cookie || v->n == SHARES_SOCKETS)
			continue;
		v->of[v->n].share = share;
		v->of[v->n].index = (uint8_t)i;
		v->inodes[v->n++] = share->sockets[i].inode;
	}
}

/* Is it us, or the service manager that keeps our sockets for us? Then it has the socket because we have. */
static bool is_ours(const struct sharing *sharing, int32_t pid)
{
	return pid == getpid() || (sharing->manager && pid == sharing->manager);
}

/* A process that was just found belongs to its parent's program, or to that of who had the socket last. */
static struct share_process *add_found(struct sharing *sharing, struct share *share, size_t index,
				       const struct holders_one *found)
{
	const struct share_process *parent = share_find_process(share, found->parent);
	uint64_t joined = parent ? parent->joined : 0;
	struct share_process *p =
		add_process(sharing, share, found->pid, (int)syscall(SYS_pidfd_open, found->pid, 0),
			    parent ? parent->instance : share->sockets[index].last_instance, found->program);

	for (size_t i = 0; i < SHARE_SOCKETS && !parent; i++)
		joined |= (uint64_t)share->sockets[i].last_joined << i;
	if (p)
		p->joined = joined;
	return p;
}

static void note_found(struct sharing *sharing, const struct view *v, const struct holders_one *found,
		       size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct share *share = v->of[found[i].socket].share;
		size_t index = v->of[found[i].socket].index;
		struct share_process *p = share_find_process(share, found[i].pid);

		if (is_ours(sharing, found[i].pid))
			continue;
		if (!p)
			p = add_found(sharing, share, index, &found[i]);
		if (p)
			p->fd[index] = found[i].fd;
	}
}

/* Once, until they can be seen again. Whoever has that much to be looked through may be asked about every
 * second.
 */
static void say_unseen(struct share *share, int err)
{
	char who[SHARE_TEXT];

	if (err == -EINPROGRESS || err == -EAGAIN)
		return;
	if (err && !share->unseen) {
		share_format(share, who);
		log_warn("%s: who has its sockets cannot be seen: %s", who, strerror(-err));
	}
	share->unseen = err != 0;
}

bool share_look_at_all(struct sharing *sharing, uint32_t uid, struct share *const *shares, size_t n)
{
	static struct view v;
	struct holders_one *found;
	size_t n_found;
	int err;

	v.n = 0;
	for (size_t i = 0; i < n; i++)
		view_add(&v, shares[i]);
	err = holders_find(uid, v.inodes, v.n, NULL, 0, &found, &n_found);
	for (size_t i = 0; i < n; i++)
		say_unseen(shares[i], err);
	if (err)
		return false;
	note_found(sharing, &v, found, n_found);
	free(found);
	return true;
}

static size_t list_known(const struct share *share, const struct view *v, struct holders_one *known)
{
	size_t n = 0;

	for (size_t i = 0; i < share->n_processes; i++) {
		const struct share_process *p = share->processes[i];

		for (size_t j = 0; j < v->n; j++) {
			if (p->fd[v->of[j].index] != NOT_OPEN)
				known[n++] = (struct holders_one){
					.pid = p->pid, .fd = p->fd[v->of[j].index], .socket = (uint32_t)j};
		}
	}
	return n;
}

/* What is believed of a process that has only just got it is not yet to be seen. */
static void forget_unseen(struct share *share, uint64_t now)
{
	for (size_t i = 0; i < share->n_processes; i++) {
		struct share_process *p = share->processes[i];

		for (size_t j = 0; j < SHARE_SOCKETS; j++) {
			if (p->fd[j] == NOT_OPEN || (p->fd[j] == OPEN_SOMEWHERE && now < p->trusted_until))
				continue;
			share_note_last(share, p, j);
			p->fd[j] = NOT_OPEN;
		}
	}
}

static bool has_none(const struct share_process *p)
{
	for (size_t j = 0; j < SHARE_SOCKETS; j++) {
		if (p->fd[j] != NOT_OPEN)
			return false;
	}
	return true;
}

/* Who has ended; and of those that have nothing open, who did not ask for it: a child, or a chance find. */
static void drop_gone(struct sharing *sharing, struct share *share)
{
	for (size_t i = share->n_processes; i-- > 0;) {
		struct share_process *p = share->processes[i];

		if (has_ended(p->pidfd) || (!p->claimed && has_none(p)))
			drop_process(sharing, share, p);
	}
}

/* False where it is not known yet whether they still have them. */
static bool look_at_known(struct sharing *sharing, struct share *share, uint64_t now)
{
	static struct holders_one known[SHARE_PROCESSES * SHARE_SOCKETS];
	static struct view v;
	struct holders_one *found;
	size_t n, n_found;
	int err;

	v.n = 0;
	view_add(&v, share);
	drop_gone(sharing, share);
	n = list_known(share, &v, known);
	if (n == 0)
		return true;
	err = holders_find(share->uid, v.inodes, v.n, known, n, &found, &n_found);
	say_unseen(share, err);
	if (err)
		return false;
	forget_unseen(share, now);
	note_found(sharing, &v, found, n_found);
	free(found);
	drop_gone(sharing, share);
	return true;
}

/* Is there one that has just lost its last process, as far as they are known? */
static bool has_new_orphan(const struct share *share)
{
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		if (share->sockets[i].cookie && !share->sockets[i].orphan_since && !share_holders(share, i))
			return true;
	}
	return false;
}

void share_look(struct sharing *sharing, struct share *share)
{
	uint64_t now = boottime_ms();
	bool known = look_at_known(sharing, share, now);

	/* twice: a process that was forking just now may have gone from where we looked to where we had */
	for (int i = 0; known && i < 2 && has_new_orphan(share); i++)
		known = share_look_at_all(sharing, share->uid, &share, 1);
	if (known)
		share_note_orphans(share, now);
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		if (share_holders(share, i))
			share->sockets[i].orphan_since = 0;
	}
}

/* ---- time ---- */

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
	uint64_t now = boottime_ms(), next = now + TICK_MS, took;

	share_look(sharing, share);
	took = boottime_ms() - now;
	if (took > LONG_MS)
		share->rests_until = now + (took * SELDOM < REST_MAX ? took * SELDOM : REST_MAX);
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

static void drop_ended_pending(struct sharing *sharing)
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
	drop_ended_pending(sharing);
	for (struct share *share = sharing->all.first; share; share = share->next) {
		if (!any_has_ended(share))
			continue;
		drop_gone(sharing, share); /* or we would be told of them without end */
		share->due = 0;
	}
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

	drop_ended_pending(sharing);
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
