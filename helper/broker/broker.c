// SPDX-License-Identifier: BSD-2-Clause
#include "helper/broker/broker.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/broker/parts.h"
#include "helper/fdpass.h"

/* This side's end of the socketpair; one order at a time. */
static int broker = -1;

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static int obey(const struct broker_request *request, int fd, int second, struct broker_answer *answer)
{
	int found;

	if (request->order != BROKER_FIND)
		return broker_work_in(request, fd, second, answer);
	found = broker_find_netns(request->number);
	answer->error = found < 0 ? found : 0;
	return found;
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

static void serve(int sock)
{
	libbpf_set_print(NULL); /* it would speak of every interface without a clsact qdisc as an error */
	for (;;) {
		struct broker_answer answer = {0};
		struct iovec part = {&answer, sizeof(answer)};
		struct broker_request request;
		int fd, second, result;

		receive_all(sock, &request, &fd, &second);
		answer.serial = request.serial;
		result = obey(&request, fd, second, &answer);
		if (fdpass_send(sock, &part, 1, result >= 0 ? result : -1) < 0)
			_exit(0);
		close_all((int[]){result, fd, second}, 3);
	}
}

int broker_start(void)
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
		/* the signals that end the helper end this with it, not before it */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		serve(pair[1]);
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
