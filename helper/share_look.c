// SPDX-License-Identifier: BSD-2-Clause
/* Which processes have the sockets of a share. */
#include "helper/share_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/broker/holders.h"
#include "helper/log.h"
#include "helper/space.h"

#define LOOKS 2 /* a process that was forking may have gone from where we looked to where we had */

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
	struct share_process *p = share_watch_process(
		sharing, share, found->pid, (int)syscall(SYS_pidfd_open, found->pid, 0),
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

/* 0 or -errno: -EINPROGRESS, -EAGAIN where it is not known yet. */
static int look_at_all(struct sharing *sharing, uint32_t uid, struct share *const *shares, size_t n,
		       uint64_t search)
{
	static struct view v;
	struct holders_one *found;
	size_t n_found;
	int err;

	v.n = 0;
	for (size_t i = 0; i < n; i++)
		view_add(&v, shares[i]);
	err = holders_find(uid, search, v.inodes, v.n, NULL, 0, &found, &n_found);
	for (size_t i = 0; i < n; i++)
		say_unseen(shares[i], err);
	if (err)
		return err;
	note_found(sharing, &v, found, n_found);
	free(found);
	return 0;
}

void share_look_at_all(struct sharing *sharing, uint32_t uid, struct share *const *shares, size_t n)
{
	look_at_all(sharing, uid, shares, n, 0);
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
	n = list_known(share, &v, known);
	if (n == 0)
		return true;
	err = holders_find(share->uid, 0, v.inodes, v.n, known, n, &found, &n_found);
	say_unseen(share, err);
	if (err)
		return false;
	forget_unseen(share, now);
	note_found(sharing, &v, found, n_found);
	free(found);
	share_drop_gone(sharing, share);
	return true;
}

/* Those that have just lost their last process, as far as they are known. */
static uint64_t newly_lost(const struct share *share)
{
	uint64_t lost = 0;

	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		if (share->sockets[i].cookie && !share->sockets[i].orphan_since && !share_holders(share, i))
			lost |= UINT64_C(1) << i;
	}
	return lost;
}

/*
 * False where it is not known yet: then the next call goes on. Each look has a number of its own, so that no
 * answer counts that was on its way before.
 */
static bool look_for_lost(struct sharing *sharing, struct share *share)
{
	static uint64_t searches;
	uint64_t lost;

	while ((lost = newly_lost(share))) {
		int err;

		if (lost & ~share->lost) {
			share->looks = 0;
			share->search = ++searches;
		}
		share->lost = lost;
		if (share->looks == LOOKS)
			break;
		err = look_at_all(sharing, share->uid, &share, 1, share->search);
		if (err) {
			if (err != -EINPROGRESS && err != -EAGAIN)
				share->lost = 0;
			return false;
		}
		share->looks++;
		share->search = ++searches;
	}
	share->lost = 0;
	return true;
}

bool share_look(struct sharing *sharing, struct share *share)
{
	uint64_t now = boottime_ms();
	bool known;

	share_drop_gone(sharing, share);
	known = share->lost || look_at_known(sharing, share, now);
	known = known && look_for_lost(sharing, share);
	if (known)
		share_note_orphans(share, now);
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		if (share_holders(share, i))
			share->sockets[i].orphan_since = 0;
	}
	return known;
}
