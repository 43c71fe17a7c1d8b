// SPDX-License-Identifier: BSD-2-Clause
/*
 * The ways in which programs come to a listening socket: srv-listen MODE PORT [ADDRESS]
 *
 * Each then tells every client which address and port it reached, and closes.
 * Where bind() or listen() fails, the exit status is the errno.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static const char *port, *address = "127.0.0.1";

_Noreturn static void fail(const char *what)
{
	int err = errno;

	fprintf(stderr, "srv-listen: %s: %s\n", what, strerror(err));
	exit(err);
}

static int bound_socket(int protocol, int reuseport)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_STREAM};
	struct addrinfo *to;
	int sock, one = 1;

	if (getaddrinfo(address, port, &hints, &to))
		exit(EINVAL);
	sock = socket(to->ai_family, SOCK_STREAM, protocol);
	if (sock < 0)
		fail("socket");
	if (setsockopt(sock, SOL_SOCKET, reuseport ? SO_REUSEPORT : SO_REUSEADDR, &one, sizeof(one)) < 0)
		fail("setsockopt");
	if (bind(sock, to->ai_addr, to->ai_addrlen) < 0)
		fail("bind");
	freeaddrinfo(to);
	return sock;
}

static void listen_or_fail(int sock, int backlog)
{
	errno = 0;
	if (listen(sock, backlog) < 0)
		fail("listen");
	if (errno != 0)
		fail("listen() succeeded and changed errno");
}

_Noreturn static void serve(int sock)
{
	for (;;) {
		struct sockaddr_storage local;
		socklen_t length = sizeof(local);
		char host[INET6_ADDRSTRLEN], service[8];
		int client = accept(sock, NULL, NULL);

		if (client < 0 && errno == EINTR)
			continue;
		if (client < 0) /* shut down; somebody may listen on it again */
			usleep(10000);
		else if (getsockname(client, (struct sockaddr *)&local, &length) == 0 &&
			 getnameinfo((struct sockaddr *)&local, length, host, sizeof(host), service,
				     sizeof(service), NI_NUMERICHOST | NI_NUMERICSERV) == 0)
			dprintf(client, "srv-listen %d: you reached %s port %s\n", getpid(), host, service);
		if (client >= 0)
			close(client);
	}
}

static void run_plain(void)
{
	int sock = bound_socket(0, 0);

	listen_or_fail(sock, 64);
	serve(sock);
}

static void *listen_in_thread(void *arg)
{
	listen_or_fail(*(int *)arg, 64);
	serve(*(int *)arg);
	return NULL;
}

/* bind in the main thread, listen in another, as slapd does */
static void run_thread(void)
{
	int sock = bound_socket(0, 0);
	pthread_t thread;

	if (pthread_create(&thread, NULL, listen_in_thread, &sock))
		exit(EAGAIN);
	pthread_join(thread, NULL);
}

_Noreturn static void wait_for_child(pid_t child)
{
	int status = 0;

	if (child < 0 || waitpid(child, &status, 0) < 0)
		fail("child");
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

/* all of it in a child */
static void run_fork(void)
{
	pid_t child = fork();

	if (child == 0)
		run_plain();
	wait_for_child(child);
}

/* bind in the parent, listen in a child, as varnish does */
static void run_split(void)
{
	int sock = bound_socket(0, 0);
	pid_t child = fork();

	if (child == 0) {
		listen_or_fail(sock, 64);
		serve(sock);
	}
	close(sock);
	wait_for_child(child);
}

/* listen in a process that exits; a child keeps the socket and serves */
static void run_daemon(void)
{
	int sock = bound_socket(0, 0);

	listen_or_fail(sock, 64);
	if (fork() == 0)
		serve(sock);
	_exit(0);
}

/* what daemons do at start, so as not to inherit anything */
static void run_closeall(void)
{
	for (int fd = 3; fd < 1024; fd++)
		close(fd);
	run_plain();
}

/* the listener is descriptor 0, which a careless check takes for none */
static void run_stdin(void)
{
	close(0);
	run_plain();
}

/* a wiped environment, as nginx and exim leave it */
static void run_noenv(void)
{
	if (clearenv())
		exit(ENOMEM);
	run_plain();
}

/* the backlog is changed on a listening socket; also negative and huge */
static void run_twice(void)
{
	int sock = bound_socket(0, 0);

	listen_or_fail(sock, 1);
	listen_or_fail(sock, -1);
	listen_or_fail(sock, 0x7fffffff);
	serve(sock);
}

static int the_socket;

static void on_signal(int sig)
{
	if (sig == SIGUSR1)
		shutdown(the_socket, SHUT_RDWR);
	else if (listen(the_socket, 64) < 0)
		_exit(errno);
}

/* SIGUSR1 shuts it down, SIGUSR2 listens again: in a signal handler, where listen() may be called */
static void run_signals(void)
{
	const struct sigaction action = {.sa_handler = on_signal};

	the_socket = bound_socket(0, 0);
	sigaction(SIGUSR1, &action, NULL);
	sigaction(SIGUSR2, &action, NULL);
	listen_or_fail(the_socket, 64);
	serve(the_socket);
}

/* no descriptor is left when listen() is called; later there are some */
static void run_fdlimit(void)
{
	struct rlimit limit, none;
	int sock = bound_socket(0, 0);

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		fail("getrlimit");
	none = limit;
	none.rlim_cur = sock + 1;
	if (setrlimit(RLIMIT_NOFILE, &none) < 0)
		fail("setrlimit");
	listen_or_fail(sock, 64);
	setrlimit(RLIMIT_NOFILE, &limit);
	serve(sock);
}

static void run_mptcp(void)
{
	int sock = bound_socket(IPPROTO_MPTCP, 0);

	listen_or_fail(sock, 64);
	serve(sock);
}

/* three sockets on the same port, each served by its own process */
static void run_reuseport(void)
{
	for (int i = 0; i < 3; i++) {
		int sock = bound_socket(0, 1);

		listen_or_fail(sock, 64);
		if (i < 2 && fork() == 0)
			serve(sock);
		if (i == 2)
			serve(sock);
		close(sock);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{"plain", run_plain},	  {"thread", run_thread},   {"fork", run_fork},
	{"split", run_split},	  {"daemon", run_daemon},   {"stdin", run_stdin},
	{"noenv", run_noenv},	  {"twice", run_twice},	    {"closeall", run_closeall},
	{"mptcp", run_mptcp},	  {"fdlimit", run_fdlimit}, {"reuseport", run_reuseport},
	{"signals", run_signals},
};

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc < 3)
		return EINVAL;
	port = argv[2];
	if (argc > 3)
		address = argv[3];
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, argv[1]) == 0)
			modes[i].run();
	fprintf(stderr, "srv-listen: no mode %s\n", argv[1]);
	return EINVAL;
}
