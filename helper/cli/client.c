// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/client.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "helper/cli/skl.h"
#include "helper/fdpass.h"

#define SLICE_MS 50 /* so often it is looked whether the end has come while a call waits */

const char *client_helper(void)
{
	const char *path = getenv("SKL_HELPER");

	return path && *path ? path : SKL_HELPER_SOCKET;
}

int client_make_absolute(void)
{
	char directory[PATH_MAX], *path;
	int err = 0;

	if (client_helper()[0] == '/')
		return 0;
	if (!getcwd(directory, sizeof(directory)))
		err = -errno;
	else if (asprintf(&path, "%s/%s", directory, client_helper()) < 0)
		err = -ENOMEM;
	else {
		if (setenv("SKL_HELPER", path, 1) < 0)
			err = -errno;
		free(path);
	}
	if (err)
		complain("%s: %s", client_helper(), strerror(-err));
	return err;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Lets the next call of that direction wait until the deadline; one that is over leaves it 1 ms. */
static void wait_until(int sock, int direction, long deadline)
{
	long left = deadline - now_ms();
	struct timeval t;

	if (left < 1)
		left = 1;
	t.tv_sec = left / 1000;
	t.tv_usec = left % 1000 * 1000;
	setsockopt(sock, SOL_SOCKET, direction, &t, sizeof(t));
}

/* Has the end come? None does with -1. */
static int is_over(int end)
{
	struct pollfd p = {.fd = end, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

/* Waits until the socket or the end can be read, or the deadline. Returns 0, or -ECANCELED for the end. */
static int wait_for(int sock, int end, long deadline)
{
	struct pollfd p[] = {{.fd = sock, .events = POLLIN}, {.fd = end, .events = POLLIN}};
	long left;

	while ((left = deadline - now_ms()) > 0) {
		if (poll(p, 2, (int)left) < 0 && errno == EINTR)
			continue;
		return !p[0].revents && p[1].revents ? -ECANCELED : 0;
	}
	return 0;
}

/* Returns a connected socket, or -errno. */
static int reach(const char *path, int end, long deadline)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int sock, err;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	do { /* a full backlog is waited for, too */
		long slice = now_ms() + SLICE_MS;

		wait_until(sock, SO_SNDTIMEO, end < 0 || slice > deadline ? deadline : slice);
		err = connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
		if (err == -EAGAIN && is_over(end))
			err = -ECANCELED;
	} while (err == -EINTR || (err == -EAGAIN && now_ms() < deadline));
	if (err) {
		close(sock);
		return err;
	}
	return sock;
}

static int check_reply(const struct skl_reply *reply, size_t got)
{
	if (got == 0)
		return -ECONNRESET;
	if (got < sizeof(*reply) || reply->magic != SKL_WIRE_MAGIC)
		return -EBADMSG;
	if (reply->version != SKL_WIRE_VERSION)
		return -EPROTONOSUPPORT;
	if (reply->length != got || reply->error < 0)
		return -EBADMSG;
	return 0;
}

static int receive(int sock, struct client_answer *answer)
{
	struct {
		struct skl_reply head;
		char text[SKL_SAY_MAX];
	} reply;
	ssize_t got = fdpass_receive(sock, &reply, sizeof(reply), &answer->fd);
	int err = got < 0 ? (int)got : check_reply(&reply.head, (size_t)got);

	if (err) {
		if (answer->fd >= 0)
			close(answer->fd);
		answer->fd = -1;
		return err;
	}
	answer->error = reply.head.error;
	memcpy(answer->text, reply.text, (size_t)got - sizeof(reply.head));
	answer->text[(size_t)got - sizeof(reply.head)] = '\0';
	return 0;
}

int client_ask_as(uint64_t instance, enum skl_kind kind, pid_t pid, const char *text, size_t length, int fd,
		  int end, struct client_answer *answer)
{
	long deadline = now_ms() + CLIENT_DEADLINE_MS;
	struct skl_request request = {
		.magic = SKL_WIRE_MAGIC,
		.version = SKL_WIRE_VERSION,
		.kind = (__u16)kind,
		.length = (__u32)(sizeof(request) + length),
		.pid = pid,
		.instance = instance,
	};
	struct iovec parts[] = {
		{.iov_base = &request, .iov_len = sizeof(request)},
		{.iov_base = (char *)text, .iov_len = length},
	};
	int sock, err;

	answer->error = 0;
	answer->fd = -1;
	answer->text[0] = '\0';
	if (length > SKL_TEXT_MAX)
		return -E2BIG;
	sock = reach(client_helper(), end, deadline);
	if (sock < 0)
		return sock == -EAGAIN ? -ETIMEDOUT : sock;
	wait_until(sock, SO_SNDTIMEO, deadline);
	err = fdpass_send(sock, parts, 2, fd);
	if (err == -EPIPE) /* it may have answered before it closed, for example that it has no room */
		err = 0;
	if (!err)
		err = wait_for(sock, end, deadline);
	if (!err) {
		wait_until(sock, SO_RCVTIMEO, deadline);
		err = receive(sock, answer);
	}
	close(sock);
	return err == -EAGAIN ? -ETIMEDOUT : err;
}

int client_ask(enum skl_kind kind, pid_t pid, const char *text, size_t length, int fd,
	       struct client_answer *answer)
{
	return client_ask_as(0, kind, pid, text, length, fd, -1, answer);
}

int client_is_absent(int err)
{
	return err == -ENOENT || err == -ECONNREFUSED || err == -ECONNRESET;
}
