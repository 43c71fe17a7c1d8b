// SPDX-License-Identifier: BSD-2-Clause
/*
 * The supervisor's loop.
 *
 * What it decides rests on its own copies: of the socket, taken by pidfd_getfd,
 * and of the address, read once. The call is then done on that socket with that
 * address by the supervisor itself, so that no other thread of the program can
 * change anything between the look and the act. Where the program has given up
 * rights that the supervisor has, it does no bind() for it.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/cli/client.h"
#include "helper/cli/duration.h"
#include "helper/cli/skl.h"
#include "helper/cli/supervise.h"
#include "helper/cli/target.h"
#include "helper/cli/undelivered.h"

/* socketcall(2) of 32-bit programs, from linux/net.h */
#define CALL_BIND   2
#define CALL_LISTEN 4

struct supervisor {
	int notify;
	const char *text; /* for the helper */
	size_t length;
	uint64_t instance;
	bool warn;
	long wait_ms;		    /* for a helper that is not there yet */
	bool alone;		    /* the one that did the work has died: nothing is claimed any more */
	char said[SKL_SAY_MAX + 1]; /* the last remark: each is made once */
	struct undelivered undelivered;
};

/* One call of the program, as it was when the kernel asked. */
struct call {
	pid_t thread, process;
	bool is_bind;
	int fd;
	int backlog;
	uint64_t address;
	uint32_t length;
};

/* What to answer: go on by yourself, or this result. */
#define GO_ON 1

static bool is_32bit(const struct seccomp_notif *request)
{
	return request->data.arch != seccomp_arch_native();
}

static int read_call(const struct seccomp_notif *request, struct call *c)
{
	const struct seccomp_data *d = &request->data;
	uint64_t args[3] = {d->args[0], d->args[1], d->args[2]};
	char *name = seccomp_syscall_resolve_num_arch(d->arch, d->nr);
	int err = 0;

	*c = (struct call){.thread = (pid_t)request->pid, .process = target_process((pid_t)request->pid)};
	if (!name || c->process <= 0) {
		free(name);
		return -ESRCH;
	}
	if (strcmp(name, "socketcall") == 0) {
		uint32_t words[3] = {0};

		c->is_bind = args[0] == CALL_BIND;
		err = target_read(c->thread, args[1], words, (c->is_bind ? 3 : 2) * sizeof(words[0]));
		for (int i = 0; i < 3; i++)
			args[i] = words[i];
	} else {
		c->is_bind = strcmp(name, "bind") == 0;
	}
	free(name);
	c->fd = (int)args[0];
	c->backlog = (int)args[1];
	c->address = is_32bit(request) ? (uint32_t)args[1] : args[1];
	c->length = (uint32_t)args[2];
	return err;
}

static int option(int sock, int name)
{
	socklen_t length = sizeof(int);
	int value = -1;

	return getsockopt(sock, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

static uint64_t cookie(int sock)
{
	socklen_t length = sizeof(uint64_t);
	uint64_t value = 0;

	getsockopt(sock, SOL_SOCKET, SO_COOKIE, &value, &length);
	return value;
}

static bool is_internet(int sock, int type, int protocol)
{
	int domain = option(sock, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) && option(sock, SO_TYPE) == type &&
	       option(sock, SO_PROTOCOL) == protocol;
}

/* Each remark once: a resolver would make it for each question. */
static void remark(struct supervisor *s, const char *text)
{
	if (*text == '\0' || strcmp(s->said, text) == 0)
		return;
	snprintf(s->said, sizeof(s->said), "%s", text);
	complain("%s", text);
}

static int ask(const struct supervisor *s, const struct call *c, int sock, struct client_answer *answer)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	const enum skl_kind kind = c->is_bind ? SKL_CLAIM_BIND : SKL_CLAIM_LISTEN;
	int err;

	for (long waited = 0;; waited += 20) {
		err = client_ask_as(s->instance, kind, c->process, s->text, s->length, sock, answer);
		if (!client_is_absent(err) || waited >= s->wait_ms)
			return err;
		nanosleep(&pause, NULL);
	}
}

/* Returns the errno for the program's call, negative, or 0. */
static int claim(struct supervisor *s, const struct call *c, int sock)
{
	struct client_answer answer;
	int err;

	if (s->alone) {
		complain("process %d: its supervisor has ended: its socket is not covered", c->process);
		return s->warn ? 0 : -ECONNREFUSED;
	}
	err = ask(s, c, sock, &answer);
	if (err) {
		client_complain(err);
		return s->warn ? 0 : err;
	}
	if (answer.fd >= 0)
		close(answer.fd);
	remark(s, answer.error && !*answer.text ? strerror(answer.error) : answer.text);
	return s->warn ? 0 : -answer.error;
}

static int do_listen(struct supervisor *s, const struct call *c, int sock)
{
	if (!is_internet(sock, SOCK_STREAM, IPPROTO_TCP))
		return GO_ON;
	return listen(sock, c->backlog) < 0 ? -errno : claim(s, c, sock);
}

static bool needs_no_right(uint16_t port)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	int first = 1024;

	if (f) {
		if (fscanf(f, "%d", &first) != 1)
			first = 1024;
		fclose(f);
	}
	return port >= first;
}

static int do_bind(struct supervisor *s, const struct call *c, int sock)
{
	union {
		struct sockaddr any;
		struct sockaddr_in6 in;
		struct sockaddr_storage storage;
	} address = {0};

	if (!is_internet(sock, SOCK_DGRAM, IPPROTO_UDP))
		return GO_ON;
	/* the kernel says of other lengths what is wrong with them */
	if (c->length < sizeof(struct sockaddr_in) || c->length > sizeof(address) ||
	    target_read(c->thread, c->address, &address, c->length) < 0 || !address.in.sin6_port)
		return GO_ON;
	if (!target_equals_us(c->thread) && !needs_no_right(ntohs(address.in.sin6_port))) {
		complain("process %d: it has other rights than when it was started: its UDP port %u is not "
			 "covered",
			 c->process, ntohs(address.in.sin6_port));
		return GO_ON;
	}
	return bind(sock, &address.any, c->length) < 0 ? -errno : claim(s, c, sock);
}

/* Whatever came of the claim, the call itself cannot be made a second time. */
static bool took_effect(int sock, bool is_bind)
{
	struct sockaddr_in6 at = {0};
	socklen_t length = sizeof(at);

	if (!is_bind)
		return option(sock, SO_ACCEPTCONN) == 1;
	return getsockname(sock, (struct sockaddr *)&at, &length) == 0 && at.sin6_port != 0;
}

/* Returns GO_ON, 0, or the negative errno that the program's call ends with; *d is what was done for that. */
static int decide(struct supervisor *s, const struct seccomp_notif *request, struct done_call *d)
{
	const struct done_call *known;
	struct call c;
	int err = read_call(request, &c), sock;

	if (err)
		return GO_ON; /* the kernel reads it itself, and finds the same */
	sock = target_take(c.process, c.fd);
	/* As long as the call waits, its thread's number, and so what was taken, is that of the program. */
	if (seccomp_notify_id_valid(s->notify, request->id) != 0) {
		if (sock >= 0)
			close(sock);
		return GO_ON;
	}
	if (sock < 0) {
		if (sock != -EBADF)
			complain("process %d: its socket cannot be taken: %s: it is not covered%s", c.process,
				 strerror(-sock),
				 sock == -EPERM ? " (kernel.yama.ptrace_scope lets only root do it)" : "");
		return sock == -EBADF || s->warn ? GO_ON : sock;
	}
	*d = (struct done_call){
		.cookie = cookie(sock), .is_bind = c.is_bind, .backlog = c.is_bind ? 0 : c.backlog};
	known = undelivered_find(&s->undelivered, d);
	if (known && took_effect(sock, c.is_bind))
		err = known->result;
	else
		err = c.is_bind ? do_bind(s, &c, sock) : do_listen(s, &c, sock);
	d->result = err;
	if (!took_effect(sock, c.is_bind))
		d->cookie = 0; /* so it can be tried again */
	close(sock);
	return err;
}

static void serve_one(struct supervisor *s, struct seccomp_notif *request,
		      struct seccomp_notif_resp *response)
{
	struct done_call d = {0};
	int result;

	memset(request, 0, sizeof(*request));
	memset(response, 0, sizeof(*response));
	if (seccomp_notify_receive(s->notify, request) != 0)
		return; /* it was interrupted or killed */
	result = decide(s, request, &d);
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

void supervisor(int notify, const char *text, size_t length)
{
	const char *on_error = getenv("SKL_ON_ERROR"), *wait_for = getenv("SKL_WAIT");
	struct supervisor s = {.notify = notify, .text = text, .length = length};
	pid_t worker;
	int status;

	s.warn = on_error && strcmp(on_error, "warn") == 0;
	if (wait_for && *wait_for && duration_parse(wait_for, &s.wait_ms) != 0)
		s.wait_ms = 0;
	if (getrandom(&s.instance, sizeof(s.instance), 0) != sizeof(s.instance) || !s.instance)
		s.instance = 1;
	/*
	 * Without anybody to ask, every listen() and bind() of the program would
	 * fail with ENOSYS. So one process works, and the other one is there for
	 * the case that it dies.
	 */
	worker = fork();
	if (worker == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* one of us answers, not two */
		serve(&s);
	}
	while (worker > 0 && waitpid(worker, &status, 0) < 0 && errno == EINTR)
		;
	if (worker > 0 && WIFEXITED(status))
		_exit(0);
	s.alone = worker > 0;
	serve(&s);
}
