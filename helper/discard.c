// SPDX-License-Identifier: BSD-2-Clause
#include "helper/discard.h"

#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS_MAX 1024   /* that wait in close() at the same time */
#define QUEUE_MAX   131072 /* and descriptors that wait for one of them */
#define STACK	    65536

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int queue[QUEUE_MAX]; /* a ring */
static unsigned int head, queued, threads;

static bool put(int fd)
{
	bool room;

	pthread_mutex_lock(&lock);
	room = queued < QUEUE_MAX;
	if (room)
		queue[(head + queued++) % QUEUE_MAX] = fd;
	pthread_mutex_unlock(&lock);
	return room;
}

/* The next one to close; -1: there is none, and the thread that asks is counted no more. */
static int get(void)
{
	int fd = -1;

	pthread_mutex_lock(&lock);
	if (queued > 0) {
		fd = queue[head];
		head = (head + 1) % QUEUE_MAX;
		queued--;
	} else {
		threads--;
	}
	pthread_mutex_unlock(&lock);
	return fd;
}

static void *close_them(void *argument)
{
	int fd;

	while ((fd = get()) >= 0)
		close(fd);
	return NULL;
}

static bool count_thread(void)
{
	bool may;

	pthread_mutex_lock(&lock);
	may = threads < THREADS_MAX;
	threads += may;
	pthread_mutex_unlock(&lock);
	return may;
}

/* One that cannot be started is no loss while there are others, nor where a later one takes what is queued.
 */
static void start_thread(void)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int err;

	if (!count_thread())
		return;
	err = pthread_attr_init(&attributes);
	if (!err) {
		pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
		pthread_attr_setstacksize(&attributes, STACK);
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		err = pthread_create(&thread, &attributes, close_them, NULL);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
		pthread_attr_destroy(&attributes);
	}
	if (err) {
		pthread_mutex_lock(&lock);
		threads--;
		pthread_mutex_unlock(&lock);
	}
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0 ? -1 : value;
}

/*
 * What a claim comes with, a listener of TCP or a UDP socket, is closed without
 * waiting, so that no listener outlives its program because of what others send.
 * Of any other the owner could make the last close() wait in this very moment;
 * one of AF_UNIX may have anything in its queue.
 */
static bool is_quick(int fd)
{
	int domain = option(fd, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) &&
	       (option(fd, SO_ACCEPTCONN) == 1 || option(fd, SO_TYPE) == SOCK_DGRAM);
}

void discard(int fd)
{
	const struct linger off = {0};

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	if (is_quick(fd) || !put(fd)) {
		close(fd);
		return;
	}
	start_thread();
}

/*
 * Nothing more can come after shutdown(). An empty message and the end look the
 * same but for this: with SO_PASSCRED a message has its sender's credentials.
 */
static bool is_drained(int conn)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char byte;
	struct iovec part = {&byte, sizeof(byte)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	int on = 1;

	return setsockopt(conn, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
	       shutdown(conn, SHUT_RDWR) == 0 && recvmsg(conn, &message, MSG_PEEK | MSG_DONTWAIT) == 0 &&
	       message.msg_controllen == 0;
}

void hang_up(int conn)
{
	if (is_drained(conn))
		close(conn);
	else
		discard(conn);
}
