// SPDX-License-Identifier: BSD-2-Clause
/* Which socket a program of a share gets, and who may add one. */
#include "helper/rules/shares.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct share_pending *pending_of_others(const struct shares *all, const struct share_claim *c)
{
	for (size_t i = 0; i < all->n_pending; i++) {
		const struct share_pending *p = &all->pending[i];

		if (p->uid == c->uid && p->netns == c->netns && strcmp(p->name, c->name) == 0 &&
		    p->until > c->now && p->pid != c->pid && (!p->instance || p->instance != c->instance))
			return p;
	}
	return NULL;
}

static bool instance_holds(const struct share *share, size_t index, uint64_t instance)
{
	for (size_t i = 0; i < share->n_processes; i++) {
		const struct share_process *p = share->processes[i];

		if (instance && p->instance == instance && p->fd[index] != NOT_OPEN)
			return true;
	}
	return false;
}

/*
 * The socket for a program that binds this address: one that it has not yet, and rather one that nobody has.
 * With SO_REUSEPORT a program binds an address several times, and each time gets the next. Sets *any when
 * there is one of that address at all. Returns the index, or -1: none is left.
 */
static int pick(const struct share *share, const struct share_claim *c, bool *any)
{
	int found = -1, had = -1;

	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		const struct share_socket *socket = &share->sockets[i];

		if (!socket->cookie || !listener_same_address(&socket->at, c->at))
			continue;
		*any = true;
		if (instance_holds(share, i, c->instance)) {
			if (had < 0 && !(socket->at.reuseport && c->at->reuseport))
				had = (int)i;
		} else if (found < 0 || (share_holders(share, found) && !share_holders(share, i))) {
			found = (int)i;
		}
	}
	if (had >= 0 && !c->at->reuseport)
		return had; /* closed, or to be: it cannot want two */
	return found >= 0 ? found : had;
}

static bool udp_elsewhere(const struct share *share, const struct share_claim *c, bool own)
{
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		const struct share_socket *socket = &share->sockets[i];

		if (socket->cookie && socket->at.protocol == c->at->protocol &&
		    socket->at.port != c->at->port && (!own || instance_holds(share, i, c->instance)))
			return true;
	}
	return false;
}

/* The founding program, or the oldest that is left of its successors. */
static bool may_add(const struct share *share, uint64_t instance)
{
	for (size_t i = 0; i < share->n_processes; i++) {
		uint64_t one = share->processes[i]->instance;

		if (one == share->founder || one == 0)
			return instance == share->founder;
	}
	return share->n_processes == 0 || share->processes[0]->instance == instance;
}

static void describe(const struct listener *l, char out[LISTENER_TEXT + 8])
{
	listener_format(l, out);
	snprintf(out + strlen(out), sizeof("/udp"), "/%s", listener_is_udp(l) ? "udp" : "tcp");
}

static int refuse_address(const struct share *share, const struct share_claim *c, struct say *s)
{
	char asked[LISTENER_TEXT + 8], has[LISTENER_TEXT + 8] = "";
	int32_t pid = share->n_processes ? share->processes[0]->pid : 0;

	describe(c->at, asked);
	for (size_t i = 0; i < SHARE_SOCKETS && !*has; i++) {
		if (share->sockets[i].cookie)
			describe(&share->sockets[i].at, has);
	}
	return say_error(
		s, EINVAL, asked,
		"the share \"%s\" is %s (pid %d), and only the program that founded it may add to it "
		"(another address needs another SKL_SHARE, or SKL_FOR=%u to share no other port)",
		share->name, has, pid, share->sockets[0].at.port);
}

static bool overlap(const struct listener *a, const struct listener *b)
{
	struct prefix x[2], y[2];
	size_t n = listener_own_prefixes(a, x), m = listener_own_prefixes(b, y);

	if (a->protocol != b->protocol || a->port != b->port ||
	    (a->ifindex && b->ifindex && a->ifindex != b->ifindex))
		return false;
	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < m; j++) {
			if (prefix_overlaps(&x[i], &y[j]))
				return true;
		}
	}
	return false;
}

/* Does a share that the program cannot join have the address? bind() would refuse it, too, but not say why.
 */
static int check_others(const struct shares *all, const struct share *own, const struct share_claim *c,
			struct say *s)
{
	char what[LISTENER_TEXT + 8];

	describe(c->at, what);
	for (const struct share *other = all->first; other; other = other->next) {
		for (size_t i = 0; i < SHARE_SOCKETS; i++) {
			const struct share_socket *socket = &other->sockets[i];

			if (other == own || other->netns != c->netns || !socket->cookie ||
			    !overlap(&socket->at, c->at))
				continue;
			if (other->uid != c->uid)
				return say_error(s, EADDRINUSE, what,
						 "a share of uid %u has it, which only that user can join",
						 other->uid);
			if (!listener_is_udp(c->at) && !(socket->at.reuseport && c->at->reuseport))
				return say_error(s, EADDRINUSE, what,
						 "the share \"%s\" has it (SKL_SHARE=%s joins that)",
						 other->name, other->name);
		}
	}
	return 0;
}

static int check_room(const struct shares *all, const struct share_claim *c, struct say *s)
{
	size_t sum = 0, mine = 0, here = 0;

	for (const struct share *one = all->first; one; one = one->next) {
		for (size_t i = 0; i < SHARE_SOCKETS; i++) {
			bool used = one->sockets[i].cookie != 0;

			sum += used;
			mine += used && one->uid == c->uid;
			here += used && one->uid == c->uid && one->netns == c->netns &&
				strcmp(one->name, c->name) == 0;
		}
	}
	if (here >= SHARE_SOCKETS)
		return say_error(s, EMFILE, "SKL_SHARE", "the share \"%s\" has %d sockets, which is the most",
				 c->name, SHARE_SOCKETS);
	if (mine >= SHARE_SOCKETS && c->uid != 0)
		return say_error(s, EMFILE, "SKL_SHARE",
				 "the shares of uid %u have %d sockets, which is the most", c->uid,
				 SHARE_SOCKETS);
	if (sum >= SHARES_SOCKETS - (c->uid != 0 ? SHARES_ROOT : 0))
		return say_error(s, EMFILE, "SKL_SHARE", "the helper keeps %zu sockets, which is the most%s",
				 sum, c->uid != 0 ? " but for root's" : "");
	return 0;
}

int shares_judge_bind(struct shares *all, const struct share_claim *c, struct share **share, size_t *index,
		      struct say *s)
{
	struct share *own = shares_find(all, c->uid, c->netns, c->name);
	const struct share_pending *founding = pending_of_others(all, c);
	bool any = false;
	int i = own ? pick(own, c, &any) : -1, err;

	*share = own;
	if (i >= 0) {
		*index = (size_t)i;
		return SHARE_GIVE;
	}
	if (own && listener_is_udp(c->at) && !any && udp_elsewhere(own, c, true))
		return SHARE_NOT;
	err = check_others(all, own, c, s);
	if (!err && founding)
		err = say_error(s, EAGAIN, "SKL_SHARE", "the share \"%s\" is being founded by pid %d",
				c->name, founding->pid);
	if (!err && own && !any && !may_add(own, c->instance))
		err = refuse_address(own, c, s);
	if (!err)
		err = check_room(all, c, s);
	return err ? err : SHARE_ADD;
}

int shares_judge_listen(struct shares *all, struct share_claim *c, struct share **share, size_t *index,
			struct say *s)
{
	struct share *own = shares_find_cookie(all, c->cookie, index);
	const struct share_pending *pending = shares_find_pending(all, c->cookie);
	char what[LISTENER_TEXT + 8];
	bool any = false;
	int err;

	*share = own;
	if (own && strcmp(own->name, c->name) == 0)
		return SHARE_GIVE;
	describe(c->at, what);
	if (own)
		return say_error(s, EINVAL, what, "the socket belongs to the share \"%s\" already",
				 own->name);
	/* a program that has given up rights may have bound another address by now, as who it is now */
	if (pending && strcmp(pending->name, c->name) == 0 && listener_same_address(&pending->at, c->at))
		c->uid = pending->uid;
	*share = own = shares_find(all, c->uid, c->netns, c->name);
	if (own)
		pick(own, c, &any);
	if (own && listener_is_udp(c->at) && !any && udp_elsewhere(own, c, false))
		return SHARE_NOT;
	if (own && !any && !may_add(own, c->instance))
		return refuse_address(own, c, s);
	if (c->uid != 0 && c->socket_uid != c->uid)
		return say_error(s, EACCES, what, "a socket that uid %u made is not uid %u's to be shared",
				 c->socket_uid, c->uid);
	err = check_room(all, c, s);
	return err ? err : SHARE_ADD;
}
