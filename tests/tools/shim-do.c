// SPDX-License-Identifier: BSD-2-Clause
/* A server that does what it is told, step by step, to see what the shim makes of it. */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define UNTOUCHED 4242 /* an errno that nothing sets */

extern char **environ;

static int sock = -1, port, family = AF_INET;
static int argument;	  /* backlog of listen, port of bind */
static int result, error; /* of the last call */
static size_t stack_used; /* by the call made in a signal handler */

static void call_listen(void)
{
	errno = UNTOUCHED;
	result = listen(sock, argument);
	error = errno;
}

static void call_bind(void)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} a = {0};
	socklen_t length = family == AF_INET6 ? sizeof(a.in6) : sizeof(a.in);

	a.any.sa_family = (sa_family_t)family;
	a.in.sin_port = htons((unsigned short)argument); /* at the same place in both */
	if (family == AF_INET6)
		a.in6.sin6_addr = in6addr_loopback;
	else if (family == AF_INET)
		a.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (family == AF_UNIX)
		length = sizeof(sa_family_t); /* the kernel picks an abstract name */

	errno = UNTOUCHED;
	result = bind(sock, &a.any, length);
	error = errno;
	length = sizeof(a);
	if (family != AF_UNIX && getsockname(sock, &a.any, &length) == 0)
		port = ntohs(a.in.sin_port);
}

/* ---- where to make a call ---- */

static void directly(void (*call)(void))
{
	call();
}

static void *thread_main(void *call)
{
	(*(void (**)(void))call)();
	return NULL;
}

static void in_thread(void (*call)(void))
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, thread_main, &call) == 0)
		pthread_join(thread, NULL);
}

static void after_fork(void (*call)(void))
{
	int both[2], out[2] = {0};
	pid_t child;

	if (pipe(both) < 0)
		return;
	child = fork();
	if (child == 0) {
		call();
		out[0] = result;
		out[1] = error;
		_exit(write(both[1], out, sizeof(out)) != sizeof(out));
	}
	if (read(both[0], out, sizeof(out)) == sizeof(out)) {
		result = out[0];
		error = out[1];
	}
	close(both[0]);
	close(both[1]);
	waitpid(child, NULL, 0);
}

static void in_vfork(void (*call)(void))
{
	pid_t child = vfork(); /* shares our memory, so the result needs no way back */

	if (child == 0) {
		call(); /* what this test is about: NOLINT(clang-analyzer-unix.Vfork) */
		_exit(0);
	}
	waitpid(child, NULL, 0);
}

static char alternate[65536];
static void (*signal_call)(void);

static void handler(int number)
{
	const size_t top = (size_t)((uintptr_t)__builtin_frame_address(0) - (uintptr_t)alternate);
	const size_t painted = top - 512; /* so much for this very frame */
	size_t deepest = 0;

	memset(alternate, 0x5a, painted);
	signal_call();
	while (deepest < painted && alternate[deepest] == 0x5a)
		deepest++;
	stack_used = top - deepest;
}

static void in_signal(void (*call)(void))
{
	stack_t stack = {.ss_sp = alternate, .ss_size = sizeof(alternate)};
	struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};

	/* Calls of the wrong kind of descriptor resolve the symbols: the loader's stack is not what we
	 * measure. */
	listen(-1, 0);
	bind(-1, NULL, 0);
	signal_call = call;
	sigaltstack(&stack, NULL);
	sigaction(SIGUSR1, &action, NULL);
	pthread_kill(pthread_self(), SIGUSR1);
	dprintf(1, "stack %zu\n", stack_used);
}

static void tick(int number)
{
}

static void among_signals(void (*call)(void))
{
	struct sigaction action = {.sa_handler = tick};
	struct itimerval often = {.it_interval.tv_usec = 5000, .it_value.tv_usec = 5000}, never = {0};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	call();
	setitimer(ITIMER_REAL, &never, NULL);
}

static void (*place)(void (*)(void)) = directly;

/* ---- steps ---- */

static void make_socket(const char *kind)
{
	int type = SOCK_STREAM, protocol = 0;

	family = AF_INET;
	if (strcmp(kind, "inet6") == 0)
		family = AF_INET6;
	else if (strcmp(kind, "unix") == 0)
		family = AF_UNIX;
	else if (strcmp(kind, "mptcp") == 0)
		protocol = IPPROTO_MPTCP;
	else if (strcmp(kind, "sctp") == 0)
		protocol = IPPROTO_SCTP;
	else if (strcmp(kind, "udp") == 0)
		type = SOCK_DGRAM;
	else if (strcmp(kind, "udp6") == 0)
		family = AF_INET6, type = SOCK_DGRAM;
	else if (strcmp(kind, "ping") == 0)
		type = SOCK_DGRAM, protocol = IPPROTO_ICMP;
	else if (strcmp(kind, "raw") == 0)
		type = SOCK_RAW, protocol = IPPROTO_UDP;
	sock = socket(family, type, protocol);
	if (sock < 0) {
		dprintf(1, "socket failed %d\n", errno);
		exit(3);
	}
}

/* A port that was free just now, for the sake of binding to it explicitly. */
static int free_port(void)
{
	int keep = sock, type = 0;
	socklen_t length = sizeof(type);

	getsockopt(sock, SOL_SOCKET, SO_TYPE, &type, &length);
	sock = socket(family, type == SOCK_STREAM ? type : SOCK_DGRAM, 0);
	argument = 0;
	call_bind();
	close(sock);
	sock = keep;
	return port;
}

static void step_bind(const char *value)
{
	argument = strcmp(value, "explicit") == 0 ? free_port() : 0;
	place(call_bind);
	dprintf(1, "bind %d errno %d port %d\n", result, error, port);
}

static void step_listen(const char *value)
{
	argument = *value ? atoi(value) : 8;
	result = error = -2;
	place(call_listen);
	dprintf(1, "listen %d errno %d port %d\n", result, error, port);
}

static void step_serve(const char *value)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	int client = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(client, (struct sockaddr *)&a, sizeof(a)) == 0 && accept(sock, NULL, NULL) >= 0)
		dprintf(1, "served\n");
	else
		dprintf(1, "not served %d\n", errno);
}

/* Connects, accepts as descriptor 2, listens again, and says what the client then finds to read. */
static void step_stderr_to_client(const char *value)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
	int client = socket(AF_INET, SOCK_STREAM, 0);
	char buffer[512];

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	close(2);
	if (connect(client, (struct sockaddr *)&a, sizeof(a)) < 0 || accept(sock, NULL, NULL) != 2)
		exit(3);
	step_listen("");
	dprintf(1, "client read %zd\n", recv(client, buffer, sizeof(buffer), MSG_DONTWAIT));
}

static void step_fds(const char *value)
{
	DIR *dir = opendir("/proc/self/fd");
	int n = 0;

	if (!dir)
		exit(3);
	while (readdir(dir))
		n++;
	closedir(dir);
	dprintf(1, "fds %d\n", n);
}

static void step_closefds(const char *value)
{
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
}

static void step_move(const char *value)
{
	int to = atoi(value);

	dup2(sock, to);
	close(sock);
	sock = to;
}

static void step_close(const char *value)
{
	close(atoi(value));
}

static void step_clearenv(const char *value)
{
	clearenv();
}

/* As setproctitle() does: the strings lie one behind the other. */
static void step_overwrite(const char *value)
{
	char *first = environ[0], *last = first;

	if (!first)
		exit(3);
	for (char **e = environ; *e; e++)
		last = *e > last ? *e : last;
	memset(first, 'X', (size_t)(last - first) + strlen(last));
}

static void step_chroot(const char *value)
{
	if (chroot(value) < 0 || chdir("/") < 0)
		exit(3);
}

static void step_uid(const char *value)
{
	uid_t uid = (uid_t)atoi(value);

	if (setresuid(uid, uid, uid) < 0)
		exit(3);
}

static void step_nofile(const char *value)
{
	int lowest = dup(0);
	struct rlimit limit = {.rlim_cur = (rlim_t)lowest, .rlim_max = (rlim_t)lowest};

	close(lowest);
	setrlimit(RLIMIT_NOFILE, &limit);
}

static void step_broken_stderr(const char *value)
{
	int ends[2];

	if (pipe(ends) < 0 || dup2(ends[1], 2) < 0)
		exit(3);
	close(ends[0]);
	close(ends[1]);
}

/* Blocked signals do not kill, but may not be left pending either. */
static void step_pending(const char *value)
{
	sigset_t set;

	sigpending(&set);
	dprintf(1, "sigpipe %s", sigismember(&set, SIGPIPE) ? "pending" : "clear");
	sigprocmask(SIG_BLOCK, NULL, &set);
	dprintf(1, " %s\n", sigismember(&set, SIGPIPE) ? "blocked" : "open");
}

static void step_say(const char *value)
{
	dprintf(1, "%s\n", value);
}

static void step_in(const char *value)
{
	place = strcmp(value, "thread") == 0	? in_thread
		: strcmp(value, "fork") == 0	? after_fork
		: strcmp(value, "vfork") == 0	? in_vfork
		: strcmp(value, "signal") == 0	? in_signal
		: strcmp(value, "signals") == 0 ? among_signals
						: directly;
}

static const struct {
	const char *name;
	void (*run)(const char *value);
} steps[] = {
	{"bind", step_bind},
	{"broken-stderr", step_broken_stderr},
	{"chroot", step_chroot},
	{"clearenv", step_clearenv},
	{"close", step_close},
	{"closefds", step_closefds},
	{"fds", step_fds},
	{"in", step_in},
	{"listen", step_listen},
	{"move", step_move},
	{"nofile", step_nofile},
	{"overwrite", step_overwrite},
	{"pending", step_pending},
	{"say", step_say},
	{"serve", step_serve},
	{"socket", make_socket},
	{"stderr-to-client", step_stderr_to_client},
	{"uid", step_uid},
};

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		size_t length = strcspn(argv[i], "="), s = 0;
		const char *value = argv[i] + length + (argv[i][length] == '=');

		while (s < sizeof(steps) / sizeof(steps[0]) &&
		       (strncmp(argv[i], steps[s].name, length) != 0 || steps[s].name[length]))
			s++;
		if (s == sizeof(steps) / sizeof(steps[0])) {
			fprintf(stderr, "shim-do: what is '%s'?\n", argv[i]);
			return 2;
		}
		steps[s].run(value);
	}
	return 0;
}
