// SPDX-License-Identifier: BSD-2-Clause
/* The supervisor's loop. */
#include "helper/cli/supervisor.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/cli/duration.h"
#include "helper/cli/supervise.h"

static void serve_one(struct supervisor *s, struct seccomp_notif *request,
		      struct seccomp_notif_resp *response)
{
	struct done_call d = {0};
	int result;

	memset(request, 0, sizeof(*request));
	memset(response, 0, sizeof(*response));
	if (seccomp_notify_receive(s->notify, request) != 0)
		return; /* it was interrupted or killed */
	result = answer(s, request, &d);
	response->id = request->id;
	if (result == GO_ON)
		response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		response->error = result;
	if (seccomp_notify_respond(s->notify, response) == 0)
		undelivered_forget(&s->undelivered, &d);
	else if (result != GO_ON)
		undelivered_remember(&s->undelivered, &d);
}

_Noreturn static void serve(struct supervisor *s)
{
	struct pollfd asked = {.fd = s->notify, .events = POLLIN};
	struct seccomp_notif_resp *response;
	struct seccomp_notif *request;

	if (seccomp_notify_alloc(&request, &response) != 0)
		_exit(1);
	for (;;) {
		if (poll(&asked, 1, -1) < 0 && errno != EINTR)
			_exit(1);
		if (asked.revents & POLLIN)
			serve_one(s, request, response);
		else if (asked.revents & (POLLHUP | POLLERR))
			_exit(0); /* nobody is left who could ask */
	}
}

/* What it ended with: 0 when nobody was left who could ask. */
static int wait_for_end(pid_t worker)
{
	int status;

	while (waitpid(worker, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return status;
}

void supervisor(int notify, const char *text, size_t length)
{
	const char *on_error = getenv("SKL_ON_ERROR"), *wait_for = getenv("SKL_WAIT");
	struct supervisor s = {.notify = notify, .text = text, .length = length};
	pid_t worker;

	s.warn = on_error && strcmp(on_error, "warn") == 0;
	if (wait_for && *wait_for && duration_parse(wait_for, &s.wait_ms) != 0)
		s.wait_ms = 0;
	if (getrandom(&s.instance, sizeof(s.instance), 0) != sizeof(s.instance) || !s.instance)
		s.instance = 1;
	/*
	 * Without anybody to ask, every listen() and bind() of the program would
	 * fail with ENOSYS. So one process works, and the other one is there for
	 * the case that it dies, and only then; the one that works needs no other.
	 */
	worker = fork();
	if (worker == 0)
		serve(&s);
	s.alone = worker > 0;
	if (worker > 0 && wait_for_end(worker) == 0)
		_exit(0);
	serve(&s);
}
