// SPDX-License-Identifier: BSD-2-Clause
/*
 * plan-serve STATE PLAN [PAUSE]: makes all listeners of a plan (plan.h), for each user in a
 * process of his, and asks the helper for what they cover.
 *
 * Each then tells its clients "NAME reached ADDRESS port PORT". With PAUSE, those that come
 * go and come again, one change every PAUSE milliseconds: by close(), or every fourth time by shutdown().
 * Says "ready" and what the claims took when all are there. The exit status is the errno of what failed.
 */
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "helper/wire.h"
#include "tests/tools/plan.h"

#define BACKLOG	      4096
#define RULES_AT_ONCE 4000 /* the helper takes 4096 in a request */
#define FORGOTTEN_NS                                                                                         \
	(uint64_t)2000000000u /* the helper forgets a listener within a second; twice that here */
#define LAST 64

static struct plan plan;
static struct shared *shared;
static pthread_mutex_t lock =
	PTHREAD_MUTEX_INITIALIZER; /* of fds: one may be closed and its number be another's */
static int *fds;
static int epoll;

static int open_listener(const struct owner *o)
{
	struct sockaddr_storage to;
	socklen_t length = address_to(&o->address, o->port, &to);
	int sock = socket(o->address.family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1;

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(sock, (struct sockaddr *)&to, length) < 0 || listen(sock, BACKLOG) < 0)
		plan_fail(o->name);
	return sock;
}

/* One request. Returns 0, or the errno of the answer. */
static int ask(int sock, const char *text, size_t length)
{
	struct sockaddr_un helper = {.sun_family = AF_UNIX, .sun_path = SKL_HELPER_SOCKET};
	struct skl_request head = {
		.magic = SKL_WIRE_MAGIC,
		.version = SKL_WIRE_VERSION,
		.kind = SKL_CLAIM_LISTEN,
		.length = (uint32_t)(sizeof(head) + length),
	};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {.header = {.cmsg_len = CMSG_LEN(sizeof(int)),
				.cmsg_level = SOL_SOCKET,
				.cmsg_type = SCM_RIGHTS}};
	struct iovec parts[] = {{&head, sizeof(head)}, {(void *)text, length}};
	struct msghdr message = {.msg_iov = parts,
				 .msg_iovlen = 2,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	int conn = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	struct {
		struct skl_reply head;
		char text[SKL_SAY_MAX + 1];
	} reply;
	ssize_t got;

	memcpy(CMSG_DATA(&control.header), &sock, sizeof(sock));
	if (conn < 0 || connect(conn, (struct sockaddr *)&helper, sizeof(helper)) < 0 ||
	    sendmsg(conn, &message, MSG_NOSIGNAL) < 0)
		plan_fail("helper");
	got = recv(conn, &reply, sizeof(reply) - 1, 0);
	if (got < (ssize_t)sizeof(reply.head))
		plan_fail("reply");
	close(conn);
	if (reply.head.error)
		fprintf(stderr, "plan-serve: %.*s\n", (int)(got - (ssize_t)sizeof(reply.head)), reply.text);
	return reply.head.error;
}

static int format_rule(const struct rule *r, char *out, size_t size)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(r->prefix.family, r->prefix.bytes, address, sizeof(address));
	return snprintf(out, size, r->prefix.family == AF_INET ? "%s/%u:%u-%u " : "[%s]/%u:%u-%u ", address,
			r->length, r->first, r->last);
}

/* All rules of a listener, in as many requests as that takes. */
static int claim(const struct owner *o, int sock)
{
	static const char name[] = "SKL_BIND=";
	char text[SKL_TEXT_MAX];
	size_t i = o->first_rule, end = i + o->n_rules;

	while (i < end) {
		size_t n = sizeof(name) - 1, rules = 0;
		int err;

		memcpy(text, name, sizeof(name));
		for (; i < end && rules < RULES_AT_ONCE && n + 80 < sizeof(text); i++, rules++)
			n += (size_t)format_rule(&plan.rules[i], text + n, sizeof(text) - n);
		err = ask(sock, text, n + 1);
		if (err)
			return err;
	}
	return 0;
}

/* Returns what the claim took, in ns; 0 where it was refused. */
static uint64_t come(size_t i)
{
	const struct owner *o = &plan.owners[i];
	struct state *s = &shared->states[i];
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = i};
	uint64_t before, after;
	int sock = open_listener(o), err;

	pthread_mutex_lock(&lock);
	fds[i] = sock;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, sock, &event) < 0)
		plan_fail("epoll");
	pthread_mutex_unlock(&lock);
	before = now_ns();
	s->asked = before;
	s->maybe_until = UINT64_MAX;
	err = claim(o, sock);
	after = now_ns();
	if (!err)
		s->sure_since = after;
	return err ? 0 : after - before;
}

static void go(size_t i, bool by_shutdown)
{
	struct state *s = &shared->states[i];
	uint64_t now = now_ns();

	s->sure_since = 0;
	s->stale_until = UINT64_MAX;
	pthread_mutex_lock(&lock);
	epoll_ctl(epoll, EPOLL_CTL_DEL, fds[i], NULL);
	if (by_shutdown) {
		shutdown(fds[i], SHUT_RDWR);
	} else {
		close(fds[i]);
		fds[i] = -1; /* the number may be another's now */
	}
	pthread_mutex_unlock(&lock);
	now = now_ns();
	s->maybe_until = now;
	s->stale_until = now + FORGOTTEN_NS;
}

static void serve_one(size_t i)
{
	struct sockaddr_storage reached;
	socklen_t length = sizeof(reached);
	struct sockaddr_in6 *v6 = (void *)&reached;
	struct sockaddr_in *v4 = (void *)&reached;
	char address[INET6_ADDRSTRLEN];
	int client;

	pthread_mutex_lock(&lock);
	client = accept(fds[i], NULL, NULL);
	pthread_mutex_unlock(&lock);
	if (client < 0)
		return;
	if (getsockname(client, (struct sockaddr *)&reached, &length) < 0)
		plan_fail("getsockname");
	if (reached.ss_family == AF_INET)
		inet_ntop(AF_INET, &v4->sin_addr, address, sizeof(address));
	else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, address, sizeof(address));
	else
		inet_ntop(AF_INET6, &v6->sin6_addr, address, sizeof(address));
	dprintf(client, "%s reached %s port %u\n", plan.owners[i].name, address,
		ntohs(reached.ss_family == AF_INET ? v4->sin_port : v6->sin6_port));
	close(client);
}

_Noreturn static void *serve(void *unused)
{
	struct epoll_event events[64];

	for (;;) {
		int n = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < n; i++)
			serve_one(events[i].data.u64);
	}
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* All of this user's. */
static void make_all(uid_t uid)
{
	uint64_t took[LAST] = {0}, slowest = 0, all = 0;
	size_t n = 0, last;

	for (size_t i = 0; i < plan.n_owners; i++) {
		uint64_t one;

		if (plan.owners[i].uid != uid)
			continue;
		one = come(i);
		if (!one)
			exit(EADDRINUSE);
		took[n++ % LAST] = one;
		slowest = one > slowest ? one : slowest;
		all += one;
	}
	last = n < LAST ? n : LAST;
	qsort(took, last, sizeof(*took), by_value);
	printf("ready: %zu listeners, us in all %lu slowest %lu last %lu\n", n, all / 1000, slowest / 1000,
	       took[last / 2] / 1000);
	fflush(stdout);
}

/* Those of this user that come and go; returns how many. */
static size_t comers(uid_t uid, size_t *out)
{
	size_t n = 0;

	for (size_t i = 0; i < plan.n_owners; i++) {
		if (plan.owners[i].comes && plan.owners[i].uid == uid)
			out[n++] = i;
	}
	return n;
}

_Noreturn static void change(uid_t uid, unsigned int pause_ms)
{
	size_t *all = calloc(plan.n_owners, sizeof(*all)), n;
	bool *absent = calloc(plan.n_owners, sizeof(*absent));

	if (!all || !absent)
		plan_fail("memory");
	n = comers(uid, all);
	while (n) {
		size_t i = all[(size_t)random() % n];

		usleep(pause_ms * 1000);
		if (absent[i]) {
			uint64_t took;

			if (fds[i] >= 0)
				close(fds[i]);
			took = come(i);
			shared->failures += !took;
			if (took > shared->slowest)
				shared->slowest = took;
		} else {
			go(i, random() % 4 == 0);
		}
		absent[i] = !absent[i];
		shared->changes++;
	}
	for (;;)
		pause();
}

_Noreturn static void run_user(uid_t uid, unsigned int pause_ms)
{
	struct rlimit limit = {plan.n_owners + 1024, plan.n_owners + 1024};
	pthread_t server;

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0 || (uid && setgroups(0, NULL) < 0) || setgid(uid) < 0 ||
	    setuid(uid) < 0)
		plan_fail("user");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	srandom(uid + 1);
	fds = calloc(plan.n_owners, sizeof(*fds));
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (!fds || epoll < 0 || pthread_create(&server, NULL, serve, NULL))
		plan_fail("thread");
	make_all(uid);
	if (pause_ms)
		change(uid, pause_ms);
	for (;;)
		pause();
}

static bool seen_before(size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (plan.owners[k].uid == plan.owners[i].uid)
			return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	int status = 0;

	if (argc < 3 || argc > 4)
		return EINVAL;
	plan_read(argv[2], &plan);
	shared = plan_share(argv[1], &plan);
	for (size_t i = 0; i < plan.n_owners; i++) {
		if (!seen_before(i) && fork() == 0)
			run_user(plan.owners[i].uid, argc > 3 ? (unsigned int)atoi(argv[3]) : 0);
	}
	wait(&status); /* none ends but by a mistake */
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}
