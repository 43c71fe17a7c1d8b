// SPDX-License-Identifier: BSD-2-Clause
/*
 * Why it is safe to hand a socket on: the key of a share has the uid of who
 * asks, as the kernel tells it, and the network namespace of the socket that
 * came along. A port below the unprivileged ones needs the same right to join
 * as to bind. And what listens must have been made by the share's own user, so
 * that nobody keeps another's listener open who merely got hold of it.
 */
#include "helper/share_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/broker/holders.h"
#include "helper/log.h"
#include "helper/space.h"

void share_format(const struct share *share, char out[SHARE_TEXT])
{
	snprintf(out, SHARE_TEXT, "uid %u's share \"%s\"", share->uid, share->name);
}

bool share_none(const struct sharing *sharing)
{
	return sharing->all.first == NULL && sharing->all.n_pending == 0;
}

static void describe(struct share_claim *c, const struct peer *peer, const struct skl_request *request,
		     const struct request *wanted, const struct received *received)
{
	*c = (struct share_claim){
		.uid = peer->uid,
		.netns = received->netns_ino,
		.cookie = received->cookie,
		.instance = request->instance,
		.now = boottime_ms(),
		.pid = peer->pid,
		.name = wanted->share,
		.at = &received->listener,
	};
}

/* A listener that was shut down, or a UDP socket that its program connected to one peer, serves nobody else.
 */
static bool is_usable(const struct share_socket *socket)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address);
	int listens = 0;

	if (listener_is_udp(&socket->at))
		return getpeername(socket->fd, (struct sockaddr *)&address, &length) < 0;
	length = sizeof(listens);
	return getsockopt(socket->fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens;
}

/*
 * In an epoll instance there is the program's own socket, and would never tell of the share's connections.
 * That matters to one that is given another; but of each it must be to be seen, or its end would not be.
 */
static int check_epoll(const struct peer *peer, int sock, bool given, struct say *s)
{
	struct stat st;
	int err = fstat(sock, &st) < 0 ? -errno : holders_polled(peer->uid, peer->pid, st.st_dev, st.st_ino);

	if (err == -EBUSY && !given)
		return 0;
	if (err == -EBUSY)
		return say_error(s, EBUSY, "SKL_SHARE",
				 "the program has put its socket into epoll before bind(), so it would not "
				 "notice connections to the share's (this program cannot be shared)");
	if (err == -EINPROGRESS || err == -EAGAIN)
		return say_error(s, EAGAIN, "SKL_SHARE",
				 "the program's descriptors are still looked through");
	if (err == -ETIME)
		return say_error(s, EMFILE, "SKL_SHARE",
				 "the program has too many descriptors open before bind() for them to be "
				 "looked through");
	if (err == -EACCES)
		return say_error(
			s, EACCES, "SKL_SHARE",
			"which sockets the program has cannot be seen by the helper (of other users' "
			"programs from Linux 5.14 on)");
	if (err)
		return say_error(s, -err, "SKL_SHARE", "which sockets the program has cannot be seen");
	return 0;
}

/* Lets the program have the socket. Returns a descriptor for it or -errno. */
static int give(struct sharing *sharing, struct share *share, size_t index, const struct peer *peer,
		const struct skl_request *request, struct say *s)
{
	struct share_socket *socket = &share->sockets[index];
	char where[LISTENER_TEXT], who[SHARE_TEXT];
	struct share_process *p;
	int fd = fcntl(socket->fd, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return say_error(s, errno, "SKL_SHARE", "the helper has no descriptor left");
	p = share_know(sharing, share, peer, request->instance);
	share_note_given(share, p, index, boottime_ms());
	listener_format(&socket->at, where);
	share_format(share, who);
	log_info("%s: %s goes to pid %d (%s), too", who, where, peer->pid, peer->program);
	return fd;
}

static void note_pending(struct sharing *sharing, const struct share_claim *c, const struct peer *peer)
{
	struct share_pending *p = shares_find_pending(&sharing->all, c->cookie);

	if (p) {
		p->until = c->now + PENDING_MS;
		return;
	}
	p = shares_note_pending(&sharing->all, c);
	if (!p)
		return;
	p->pidfd = fcntl(peer->pidfd, F_DUPFD_CLOEXEC, 0);
	if (p->pidfd < 0 || share_watch(sharing, p->pidfd) < 0)
		share_drop_pending(sharing, p);
}

int share_join(struct sharing *sharing, const struct peer *peer, const struct skl_request *request,
	       const struct request *wanted, const struct received *received, int sock, int *fd,
	       struct share_step *step, struct say *s)
{
	struct share_claim c;
	int err;

	*fd = -1;
	*step = (struct share_step){.verdict = SHARE_NOT, .pid = peer->pid};
	if (!request_is_for(wanted, &received->listener))
		return 0;
	if (peer->pid <= 0 || peer->pidfd < 0)
		return say_error(s, ESRCH, "SKL_SHARE", "the process that asks is not visible to the helper");
	describe(&c, peer, request, wanted, received);
	for (;;) {
		step->share = shares_find(&sharing->all, c.uid, c.netns, c.name);
		if (step->share)
			share_look(sharing, step->share);
		step->verdict = shares_judge_bind(&sharing->all, &c, &step->share, &step->index, s);
		if (step->verdict != SHARE_GIVE || is_usable(&step->share->sockets[step->index]))
			break;
		share_drop_socket(sharing, step->share, step->index);
	}
	if (step->verdict < 0)
		return step->verdict;
	if (step->verdict == SHARE_NOT)
		return 0;
	err = check_epoll(peer, sock, step->verdict == SHARE_GIVE, s);
	if (err)
		return err;
	if (step->verdict == SHARE_ADD) {
		note_pending(sharing, &c, peer);
		return 0;
	}
	if (wanted->has_hold)
		share_set_hold(step->share, wanted->hold_ms);
	*fd = give(sharing, step->share, step->index, peer, request, s);
	return *fd < 0 ? *fd : 0;
}

static void log_added(const struct share *share, size_t index, const struct peer *peer)
{
	char where[LISTENER_TEXT], who[SHARE_TEXT];

	listener_format(&share->sockets[index].at, where);
	share_format(share, who);
	log_info("%s: has %s from pid %d (%s), held for %llu ms", who, where, peer->pid, peer->program,
		 (unsigned long long)share->hold_ms);
}

/* Keeps a copy of the socket. Returns 0 or -errno. */
static int add(struct sharing *sharing, const struct share_claim *c, const struct request *wanted,
	       uint64_t inode, int sock, struct share_step *step)
{
	struct share *share = step->share;
	int fd = fcntl(sock, F_DUPFD_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (!share) {
		share = shares_add(&sharing->all, c->uid, c->netns, c->name);
		if (!share) {
			close(fd);
			return -ENOMEM;
		}
		share->founder = c->instance;
		share->hold_ms = wanted->hold_ms;
		step->share = share;
	}
	step->index = share_add_socket(share, c->cookie, inode, c->at, fd);
	return 0;
}

int share_listen(struct sharing *sharing, const struct peer *peer, const struct skl_request *request,
		 const struct request *wanted, const struct received *received, int sock,
		 struct share_step *step, struct say *s)
{
	struct share_claim c;
	struct share_pending *pending;
	struct share_process *p;
	struct stat st;
	int err = 0;

	*step = (struct share_step){.verdict = SHARE_NOT};
	if (!request_is_for(wanted, &received->listener))
		return 0;
	if (peer->pid <= 0 || peer->pidfd < 0)
		return say_error(s, ESRCH, "SKL_SHARE", "the process that asks is not visible to the helper");
	if (fstat(sock, &st) < 0)
		return say_error(s, errno, "SKL_SHARE", "the socket cannot be read");
	describe(&c, peer, request, wanted, received);
	c.socket_uid = st.st_uid;
	step->verdict = shares_judge_listen(&sharing->all, &c, &step->share, &step->index, s);
	if (step->verdict < 0)
		return step->verdict;
	if (step->verdict == SHARE_NOT)
		return 0;
	if (step->share && wanted->has_hold)
		share_set_hold(step->share, wanted->hold_ms);
	if (step->verdict == SHARE_ADD)
		err = add(sharing, &c, wanted, st.st_ino, sock, step);
	if (err || !step->share)
		return say_error(s, -err, "SKL_SHARE", "the socket cannot be kept");
	step->pid = peer->pid;
	p = share_know(sharing, step->share, peer, request->instance);
	share_note_given(step->share, p, step->index, c.now);
	if (p)
		p->joined |= 1ull << step->index;
	pending = shares_find_pending(&sharing->all, c.cookie);
	if (pending)
		share_drop_pending(sharing, pending);
	if (step->verdict == SHARE_ADD) {
		share_store(step->share, step->index);
		log_added(step->share, step->index, peer);
	}
	return 0;
}

void share_undo(struct sharing *sharing, const struct share_step *step)
{
	struct share_process *p;

	if (step->verdict == SHARE_ADD) {
		share_drop_socket(sharing, step->share, step->index);
	} else if (step->verdict == SHARE_GIVE) {
		p = share_find_process(step->share, step->pid);
		if (p)
			p->joined &= ~(1ull << step->index);
		if (p && p->fd[step->index] == OPEN_SOMEWHERE)
			p->trusted_until = 0; /* it has to be seen with it */
	}
}

void share_set_hold(struct share *share, uint64_t ms)
{
	if (share->hold_ms == ms)
		return;
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		if (share->sockets[i].cookie)
			share_unstore(share, i); /* it is part of the name there */
	}
	share->hold_ms = ms;
	for (size_t i = 0; i < SHARE_SOCKETS; i++) {
		if (share->sockets[i].cookie)
			share_store(share, i);
	}
}

int share_open(struct sharing *sharing)
{
	*sharing = (struct sharing){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	if (sharing->epoll < 0)
		return -errno;
	share_adopt(sharing);
	return 0;
}
