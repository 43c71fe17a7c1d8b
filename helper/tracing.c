// SPDX-License-Identifier: BSD-2-Clause
#include "helper/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <linux/capability.h>
#include <unistd.h>

#include "helper/datapath/listener.h"
#include "helper/discard.h"
#include "helper/log.h"
#include "helper/tracing_parts.h"

#define TELL_MS 100

int tracing_open(struct tracing *t)
{
	*t = (struct tracing){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	return t->epoll < 0 ? -errno : 0;
}

static void end(struct tracing *t, size_t i)
{
	struct watcher *w = t->watchers[i];

	epoll_ctl(t->epoll, EPOLL_CTL_DEL, w->fd, NULL);
	hang_up(w->fd);
	free(w);
	t->watchers[i] = t->watchers[--t->n];
}

void tracing_close(struct tracing *t)
{
	while (t->n)
		end(t, t->n - 1);
	if (t->epoll >= 0)
		close(t->epoll);
}

/* Empty is every port: 0. False: the text says something else. */
static bool parse_port(const char *text, size_t length, uint16_t *port)
{
	char *last;
	unsigned long value;

	*port = 0;
	if (length == 0)
		return true;
	if (length < 7 || text[length - 1] != '\0' || strncmp(text, "PORT=", 5) != 0 || text[5] < '1' ||
	    text[5] > '9')
		return false;
	value = strtoul(text + 5, &last, 10);
	*port = (uint16_t)value;
	return last == text + length - 1 && value <= 65535;
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0 ? -1 : value;
}

static bool has_room(const struct tracing *t, uint32_t uid)
{
	size_t mine = 0, others = 0;

	for (size_t i = 0; i < t->n; i++) {
		mine += t->watchers[i]->uid == uid;
		others += t->watchers[i]->uid != 0;
	}
	return t->n < TRACING_WATCHERS && (uid == 0 || (others < TRACING_OTHERS && mine < TRACING_EACH));
}

static struct space *find(const struct spaces *spaces, uint64_t netns_ino)
{
	struct space *s = spaces->first;

	while (s && s->netns_ino != netns_ino)
		s = s->next;
	return s;
}

/* The watcher has a descriptor of his own. */
static int add(struct tracing *t, const struct peer *peer, const struct received *r, uint16_t port, int sock)
{
	struct watcher *w = calloc(1, sizeof(*w));
	struct epoll_event event = {.events = EPOLLRDHUP};
	int err = 0;

	if (!w)
		return -ENOMEM;
	w->uid = peer->uid;
	w->sees_all = peer->uid == 0 || peer_is_capable(peer, r->netns, CAP_NET_ADMIN);
	w->port = port;
	w->netns_ino = r->netns_ino;
	w->fd = fcntl(sock, F_DUPFD_CLOEXEC, 0);
	if (w->fd < 0 || epoll_ctl(t->epoll, EPOLL_CTL_ADD, w->fd, &event) < 0)
		err = -errno;
	if (!err) {
		t->watchers[t->n++] = w;
		return 0;
	}
	if (w->fd >= 0)
		close(w->fd);
	free(w);
	return err;
}

static int start(struct tracing *t, struct spaces *spaces, struct say *s)
{
	struct watcher *w = t->watchers[t->n - 1];
	struct space *space = find(spaces, w->netns_ino);
	int err;

	if (!space) {
		say(s, "trace: nothing is covered in this network namespace yet");
		return 0;
	}
	err = datapath_trace(space->datapath);
	if (err)
		return say_error(s, -err, "trace", "the program that tells of decisions cannot be loaded");
	tracing_set_ports(t, space);
	w->lost_before = __atomic_load_n(&datapath_watch(space->datapath)->lost, __ATOMIC_RELAXED);
	return 0;
}

int tracing_add(struct tracing *t, struct spaces *spaces, const struct peer *peer, const char *text,
		size_t length, int sock, struct say *s)
{
	struct received r = {.netns = -1};
	uint16_t port;
	int err;

	if (sock < 0)
		return say_error(s, EBADF, "trace", "no socket came with it");
	if (!parse_port(text, length, &port))
		return say_error(s, EINVAL, "trace", "this is not a port");
	if (option(sock, SO_DOMAIN) != AF_UNIX || option(sock, SO_TYPE) != SOCK_SEQPACKET)
		return say_error(s, EINVAL, "trace", "what came with it is not a socket to be told on");
	if (!has_room(t, peer->uid))
		return say_error(s, EMFILE, "trace", "too many watch already (%d in all, %d of one user)",
				 TRACING_WATCHERS, TRACING_EACH);
	err = received_read_netns(sock, &r, s);
	if (err)
		return err;
	err = add(t, peer, &r, port, sock);
	received_close(&r);
	if (err)
		return say_error(s, -err, "trace", "no room for another watcher");
	err = start(t, spaces, s);
	if (err)
		end(t, t->n - 1);
	else
		log_info("uid %u pid %d (%s): watches decisions%s", peer->uid, peer->pid, peer->program,
			 t->watchers[t->n - 1]->sees_all ? "" : " about what is its own");
	return err;
}

static bool has_gone(const struct watcher *w)
{
	char byte;
	ssize_t n = recv(w->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	return n >= 0 || errno != EAGAIN; /* he has nothing to say */
}

static bool is_watched(const struct tracing *t, const struct space *s)
{
	for (size_t i = 0; i < t->n; i++) {
		if (t->watchers[i]->netns_ino == s->netns_ino)
			return true;
	}
	return false;
}

static void end_all_of(struct tracing *t, uint64_t netns_ino)
{
	for (size_t i = t->n; i-- > 0;) {
		if (t->watchers[i]->netns_ino == netns_ino)
			end(t, i);
	}
}

/* It has come to be covered since somebody asked. */
static void begin(struct tracing *t, struct space *s)
{
	int err = datapath_trace(s->datapath);

	for (size_t i = 0; i < t->n && !err; i++) {
		if (t->watchers[i]->netns_ino == s->netns_ino)
			t->watchers[i]->lost_before = 0;
	}
	if (!err)
		return;
	log_error("namespace %llu: its decisions cannot be watched: %s", (unsigned long long)s->netns_ino,
		  strerror(-err));
	end_all_of(t, s->netns_ino);
}

int tracing_tend(struct tracing *t, struct spaces *spaces)
{
	for (struct space *s = spaces->first; s; s = s->next) {
		bool watched = is_watched(t, s);

		if (watched && !datapath_watch(s->datapath))
			begin(t, s);
		if (watched && datapath_watch(s->datapath))
			tracing_tell(t, s);
	}
	for (size_t i = t->n; i-- > 0;) {
		if (!tracing_send(t->watchers[i]))
			end(t, i);
	}
	/* last, since nothing may bring us here again when the last watcher has ended just now */
	for (struct space *s = spaces->first; s; s = s->next) {
		if (datapath_watch(s->datapath) && !is_watched(t, s))
			datapath_untrace(s->datapath);
	}
	return t->n ? TELL_MS : -1;
}

void tracing_event(struct tracing *t, struct spaces *spaces)
{
	for (size_t i = t->n; i-- > 0;) {
		if (has_gone(t->watchers[i]))
			end(t, i);
	}
	tracing_tend(t, spaces);
}
