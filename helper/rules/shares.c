// SPDX-License-Identifier: BSD-2-Clause
#include "helper/rules/shares.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct share *shares_find(const struct shares *all, uint32_t uid, uint64_t netns, const char *name)
{
	struct share *s = all->first;

	while (s && (s->uid != uid || s->netns != netns || strcmp(s->name, name) != 0))
		s = s->next;
	return s;
}

struct share *shares_find_cookie(const struct shares *all, uint64_t cookie, size_t *index)
{
	for (struct share *s = all->first; s; s = s->next) {
		for (size_t i = 0; i < SHARE_SOCKETS; i++) {
			if (cookie == 0 || s->sockets[i].cookie != cookie)
				continue;
			*index = i;
			return s;
		}
	}
	return NULL;
}

struct share *shares_add(struct shares *all, uint32_t uid, uint64_t netns, const char *name)
{
	struct share *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->id = ++all->last_id;
	s->uid = uid;
	s->netns = netns;
	strncpy(s->name, name, sizeof(s->name) - 1);
	s->next = all->first;
	all->first = s;
	return s;
}

void shares_remove(struct shares *all, struct share *share)
{
	struct share **link = &all->first;

	while (*link != share)
		link = &(*link)->next;
	*link = share->next;
	free(share);
}

size_t share_add_socket(struct share *share, uint64_t cookie, uint64_t inode, const struct listener *at,
			int fd)
{
	size_t i = 0;

	while (share->sockets[i].cookie)
		i++;
	share->sockets[i] = (struct share_socket){.cookie = cookie, .inode = inode, .at = *at, .fd = fd};
	share->sockets[i].at.members = NULL;
	share->sockets[i].at.n_members = 0;
	return i;
}

void share_remove_socket(struct share *share, size_t index)
{
	share->sockets[index] = (struct share_socket){0};
	for (size_t i = 0; i < share->n_processes; i++) {
		share->processes[i]->fd[index] = NOT_OPEN;
		share->processes[i]->joined &= ~(1ull << index);
	}
}

bool share_is_empty(const struct share *share)
{
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		if (share->sockets[i].cookie)
			return false;
	}
	return true;
}

struct share_process *share_find_process(const struct share *share, int32_t pid)
{
	for (size_t i = 0; i < share->n_processes; i++) {
		if (share->processes[i]->pid == pid)
			return share->processes[i];
	}
	return NULL;
}

struct share_process *share_add_process(struct share *share, int32_t pid, int pidfd, uint64_t instance,
					uint64_t now)
{
	struct share_process *p;

	if (share->n_processes == SHARE_PROCESSES)
		return NULL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return NULL;
	*p = (struct share_process){.pid = pid, .pidfd = pidfd, .instance = instance, .since = now};
	for (size_t i = 0; i < SHARE_SOCKETS; i++)
		p->fd[i] = NOT_OPEN;
	share->processes[share->n_processes++] = p;
	return p;
}

void share_note_last(struct share *share, const struct share_process *p, size_t index)
{
	share->sockets[index].last_instance = p->instance;
	share->sockets[index].last_joined = p->joined >> index & 1;
}

void share_remove_process(struct share *share, struct share_process *p)
{
	size_t i = 0;

	while (share->processes[i] != p)
		i++;
	for (size_t j = 0; j < SHARE_SOCKETS; j++) {
		if (p->fd[j] != NOT_OPEN)
			share_note_last(share, p, j);
	}
	for (share->n_processes--; i < share->n_processes; i++)
		share->processes[i] = share->processes[i + 1];
	free(p);
}

void share_note_given(struct share *share, struct share_process *p, size_t index, uint64_t now)
{
	if (p && p->fd[index] == NOT_OPEN) {
		p->fd[index] = OPEN_SOMEWHERE;
		p->trusted_until = now + SHARE_TRUST_MS;
	}
	share->sockets[index].orphan_since = 0;
	share->lost = 0;
}

size_t share_holders(const struct share *share, size_t index)
{
	size_t n = 0;

	for (size_t i = 0; i < share->n_processes; i++)
		n += share->processes[i]->fd[index] != NOT_OPEN;
	return n;
}

bool share_note_orphans(struct share *share, uint64_t now)
{
	bool any = false;

	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		struct share_socket *socket = &share->sockets[i];

		if (!socket->cookie)
			continue;
		if (share_holders(share, i))
			socket->orphan_since = 0;
		else if (!socket->orphan_since)
			socket->orphan_since = now;
		any |= socket->orphan_since != 0;
	}
	return any;
}

/* Another socket of the same address has a process: then this one takes connections that nobody accepts. */
static bool has_living_twin(const struct share *share, size_t index)
{
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		const struct share_socket *other = &share->sockets[i];

		if (i != index && other->cookie && !other->orphan_since &&
		    listener_same_address(&other->at, &share->sockets[index].at))
			return true;
	}
	return false;
}

uint64_t share_closes_at(const struct share *share, size_t index)
{
	const struct share_socket *socket = &share->sockets[index];
	uint64_t after = share->hold_ms;

	if (!socket->orphan_since)
		return 0;
	if (after > SHARE_REMNANT_MS && has_living_twin(share, index))
		after = SHARE_REMNANT_MS;
	return socket->orphan_since + after;
}

/* ---- those who are about to found one ---- */

struct share_pending *shares_find_pending(struct shares *all, uint64_t cookie)
{
	for (size_t i = 0; i < all->n_pending; i++) {
		if (all->pending[i].cookie == cookie)
			return &all->pending[i];
	}
	return NULL;
}

void shares_remove_pending(struct shares *all, struct share_pending *p)
{
	*p = all->pending[--all->n_pending];
}

struct share_pending *shares_note_pending(struct shares *all, const struct share_claim *c)
{
	struct share_pending *p;
	size_t mine = 0;

	for (size_t i = 0; i < all->n_pending; i++)
		mine += all->pending[i].uid == c->uid;
	if (all->n_pending == SHARES_PENDING || (mine >= PENDING_EACH && c->uid != 0))
		return NULL;
	p = &all->pending[all->n_pending++];
	*p = (struct share_pending){
		.uid = c->uid,
		.netns = c->netns,
		.instance = c->instance,
		.cookie = c->cookie,
		.at = *c->at,
		.pid = c->pid,
		.pidfd = -1,
		.until = c->now + PENDING_MS,
	};
	p->at.members = NULL;
	p->at.n_members = 0;
	strncpy(p->name, c->name, sizeof(p->name) - 1);
	return p;
}
