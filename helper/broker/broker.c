// SPDX-License-Identifier: BSD-2-Clause
#include "helper/broker/broker.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/broker/parts.h"
#include "helper/datapath/load.h"
#include "helper/fdpass.h"
#include "helper/isolate.h"
#include "helper/log.h"
#include "helper/names.h"
#include "helper/policy_read.h"

/* This side's end of the socketpair; one order at a time. */
static int broker = -1;

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

/* The helper asks for one after the other: a message carries one descriptor. */
static int make(uint64_t number)
{
	static int made[LOAD_OBJECTS];
	static uint64_t next = LOAD_OBJECTS; /* those before it are given away */
	int err;

	if (number == 0) {
		while (next < LOAD_OBJECTS)
			close(made[next++]);
		err = load_dispatch(made);
		if (err)
			return err;
		next = 0;
	}
	return number == next && next < LOAD_OBJECTS ? made[next++] : -EINVAL;
}

static void receive(int sock, struct broker_request *request, int *fd)
{
	if (fdpass_receive(sock, request, sizeof(*request), fd) != sizeof(*request))
		_exit(0); /* the helper is gone */
}

/* A request whose second message was never sent is followed by another request. */
static void receive_all(int sock, struct broker_request *request, int *fd, int *second)
{
	struct broker_request more;

	*second = -1;
	receive(sock, request, fd);
	while (request->has_second) {
		receive(sock, &more, second);
		if (more.serial == request->serial)
			return;
		if (*fd >= 0)
			close(*fd);
		*request = more;
		*fd = *second;
		*second = -1;
	}
}

static int find_id(const struct broker_request *request, uint32_t *id)
{
	if (!memchr(request->name, '\0', sizeof(request->name)))
		return -EINVAL;
	return request->order == BROKER_USER ? names_system.user(NULL, request->name, id)
					     : names_system.group(NULL, request->name, id);
}

/* Returns a descriptor for the answer, or -1. */
static int obey(const struct broker_paths *paths, const struct broker_request *request, int fd, int second,
		struct broker_answer *answer)
{
	int got = -1;

	switch (request->order) {
	case BROKER_FIND:
		got = broker_find_netns(request->number);
		answer->error = got < 0 ? got : 0;
		break;
	case BROKER_MAKE:
		got = make(request->number);
		answer->error = got < 0 ? got : 0;
		break;
	case BROKER_MAKE_REPLY:
		got = load_reply(fd, second);
		answer->error = got < 0 ? got : 0;
		break;
	case BROKER_TRACED_MAP:
		answer->error = broker_take_map(request->number, fd);
		break;
	case BROKER_MAKE_TRACED:
		got = broker_make_traced(request->number);
		answer->error = got < 0 ? got : 0;
		break;
	case BROKER_PROCESS:
		answer->error = broker_process(request->pid, answer);
		break;
	case BROKER_CAPABLE:
		answer->yes = broker_is_capable(request, fd, second);
		break;
	case BROKER_POLICY:
		got = policy_open(paths->policy);
		answer->error = got < 0 ? got : 0;
		break;
	case BROKER_USER:
	case BROKER_GROUP:
		answer->error = find_id(request, &answer->id);
		break;
	case BROKER_HOLDERS:
	case BROKER_POLLED:
		answer->error = broker_search(request, fd, second);
		break;
	case BROKER_UNLINK_SOCKET:
		answer->error = unlink(paths->socket) < 0 ? -errno : 0;
		break;
	case BROKER_REMOVE_STATE:
		answer->error = rmdir(paths->state) < 0 ? -errno : 0;
		break;
	default:
		return broker_work_in(request, fd, second, answer);
	}
	return got;
}

/* Of the descriptors that it was born with, the helper's socket among them, it keeps its own and stderr. */
static int confine(int sock)
{
	int err;

	if ((sock > STDERR_FILENO + 1 && close_range(STDERR_FILENO + 1, (unsigned int)sock - 1, 0) < 0) ||
	    close_range((unsigned int)sock + 1, ~0U, 0) < 0)
		return -errno;
	err = isolate_capabilities(ISOLATE_BROKER);
	return err ? err : isolate_calls(ISOLATE_BROKER);
}

static _Noreturn void serve(int sock, const struct broker_paths *paths)
{
	int err;

	names_prepare();
	err = confine(sock);

	if (err) {
		log_error("broker: cannot give up what it does not need: %s", strerror(-err));
		_exit(1);
	}
	for (;;) {
		struct broker_answer answer = {0};
		struct iovec part = {&answer, sizeof(answer)};
		struct broker_request request;
		int fd, second, result;

		receive_all(sock, &request, &fd, &second);
		answer.serial = request.serial;
		result = obey(paths, &request, fd, second, &answer);
		if (fdpass_send(sock, &part, 1, result >= 0 ? result : -1) < 0)
			_exit(0);
		close_all((int[]){result, fd, second}, 3);
	}
}

int broker_start(const struct broker_paths *paths)
{
	pid_t helper = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = errno;

		close(pair[0]);
		close(pair[1]);
		return -err;
	}
	if (pid == 0) {
		close(pair[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "sklhelper-netns");
		if (getppid() != helper)
			_exit(0);
		/* what is sent to both is the helper's affair: this ends with it, not before it */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		serve(pair[1], paths);
	}
	close(pair[1]);
	broker = pair[0];
	return 0;
}

int broker_fd(void)
{
	return broker;
}

static ssize_t receive_answer(struct broker_answer *answer, int *got)
{
	return fdpass_receive(broker, answer, sizeof(*answer), got);
}

bool broker_has_ended(void)
{
	struct broker_answer late;
	char byte;
	ssize_t n;
	int fd;

	while ((n = recv(broker, &byte, 1, MSG_PEEK | MSG_DONTWAIT)) > 0) {
		if (receive_answer(&late, &fd) == sizeof(late) && fd >= 0)
			close(fd);
	}
	return n == 0 || (errno != EAGAIN && errno != ENOMEM && errno != ENOBUFS && errno != EINTR);
}

int broker_call(struct broker_request *request, int fd, int second, struct broker_answer *answer, int *got)
{
	static uint64_t serial;
	struct iovec part = {request, sizeof(*request)};
	ssize_t length;
	int err;

	request->serial = ++serial;
	request->has_second = second >= 0;
	err = fdpass_send(broker, &part, 1, fd);
	if (!err && second >= 0)
		err = fdpass_send(broker, &part, 1, second);
	if (err)
		return err;
	while ((length = receive_answer(answer, got)) == sizeof(*answer) && answer->serial != serial) {
		if (*got >= 0)
			close(*got);
	}
	if (length < 0)
		return (int)length;
	if (length != sizeof(*answer))
		err = -EPIPE;
	else
		err = answer->error;
	if (err && *got >= 0)
		close(*got);
	return err;
}
