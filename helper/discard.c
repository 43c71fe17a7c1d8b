// SPDX-License-Identifier: BSD-2-Clause
#include "helper/discard.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#define THREADS_MAX 4096 /* that wait in close() at the same time */
#define STACK	    65536

static atomic_int waiting;

static void *close_it(void *argument)
{
	close((int)(intptr_t)argument);
	atomic_fetch_sub(&waiting, 1);
	return NULL;
}

static int start_thread(int fd)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int err;

	if (pthread_attr_init(&attributes) != 0)
		return -1;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attributes, close_it, (void *)(intptr_t)fd);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return err;
}

void discard(int fd)
{
	const struct linger off = {0};
	int listens = 0, domain = 0;
	socklen_t length = sizeof(int);

	if (fd < 0)
		return;
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &off, sizeof(off));
	/* what comes most often, a listener of TCP, does not linger; one of AF_UNIX may have anything in its
	 * queue */
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) == 0 && listens &&
	    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 && domain != AF_UNIX) {
		close(fd);
		return;
	}
	if (atomic_fetch_add(&waiting, 1) >= THREADS_MAX || start_thread(fd) != 0) {
		atomic_fetch_sub(&waiting, 1);
		close(fd);
	}
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
