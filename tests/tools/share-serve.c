// SPDX-License-Identifier: BSD-2-Clause
/* A server that answers each line with the number of its process. It knows nothing of shares. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static const char usage[] = "usage: share-serve [OPTION]... ADDRESS PORT...\n"
			    "  -d        on SIGTERM finish what was accepted, then end; else it just dies\n"
			    "  -b N      backlog (128)\n"
			    "  -r N      bind each port N times with SO_REUSEPORT\n"
			    "  -t N      threads for each socket (2)\n"
			    "  -p MS     pause before each answer (0)\n"
			    "  -s MS     pause between bind() and listen() (0)\n"
			    "  -e        put the socket into an epoll instance before bind()\n"
			    "  -x        close-on-exec; -n  non-blocking: as socket() options\n"
			    "  -f        fork into the background after listen(), as daemons do\n"
			    "  -g        fork before listen(): the parent ends, the child listens\n"
			    "  -k        close the sockets once they listen, and then bind and listen anew\n"
			    "Says \"ready\" with what its sockets are like.\n";

static struct {
	bool drain, epoll, daemon, early, again;
	int backlog, reuseport, threads, pause_ms, slow_ms, type;
} options = {.backlog = 128, .reuseport = 1, .threads = 2};

static int stop[2];

static void die(const char *what)
{
	int err = errno;

	fprintf(stderr, "share-serve: %s: %s\n", what, strerror(err));
	exit(err);
}

static void answer(int conn)
{
	char line[64], said[32];
	int n = snprintf(said, sizeof(said), "%d\n", getpid());

	while (read(conn, line, sizeof(line)) > 0 && !memchr(line, '\n', sizeof(line)))
		;
	if (options.pause_ms)
		usleep((unsigned int)options.pause_ms * 1000);
	send(conn, said, (size_t)n, MSG_NOSIGNAL);
	close(conn);
}

static void *serve(void *argument)
{
	int sock = (int)(intptr_t)argument;
	struct pollfd p[] = {{.fd = sock, .events = POLLIN}, {.fd = stop[0], .events = POLLIN}};

	for (;;) {
		int conn;

		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents)
			return NULL;
		/* whoever else has the socket may be faster: a blocking accept() would miss the end */
		conn = accept4(sock, NULL, NULL, SOCK_CLOEXEC);
		if (conn < 0)
			continue;
		answer(conn);
	}
}

static void on_term(int signal)
{
	close(stop[1]);
}

static int open_socket(const char *address, const char *port)
{
	const int on = 1;
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = {0};
	bool v6 = strchr(address, ':');
	int sock = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | options.type, 0);
	socklen_t length = v6 ? sizeof(a.v6) : sizeof(a.v4);

	a.any.sa_family = v6 ? AF_INET6 : AF_INET;
	if (inet_pton(a.any.sa_family, address, v6 ? (void *)&a.v6.sin6_addr : (void *)&a.v4.sin_addr) != 1)
		die(address);
	a.v4.sin_port = htons((uint16_t)atoi(port));
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (options.reuseport > 1)
		setsockopt(sock, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (options.epoll) {
		struct epoll_event event = {.events = EPOLLIN};

		epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, sock, &event);
	}
	if (bind(sock, &a.any, length) < 0)
		die("bind");
	return sock;
}

static void go_on_as_child(void)
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (child > 0)
		_exit(0);
	setsid();
}

static size_t open_all(char **argv, int *socks)
{
	size_t n = 0;

	for (char **port = argv + 1; *port; port++) {
		for (int i = 0; i < options.reuseport; i++)
			socks[n++] = open_socket(argv[0], *port);
	}
	if (options.early)
		go_on_as_child();
	if (options.slow_ms)
		usleep((unsigned int)options.slow_ms * 1000);
	for (size_t i = 0; i < n; i++) {
		if (listen(socks[i], options.backlog) < 0)
			die("listen");
	}
	return n;
}

static void say_ready(int sock)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);

	getsockopt(sock, IPPROTO_TCP, TCP_INFO, &info, &length);
	printf("ready pid %d backlog %u cloexec %d nonblock %d\n", getpid(), info.tcpi_sacked,
	       fcntl(sock, F_GETFD) & FD_CLOEXEC, !!(fcntl(sock, F_GETFL) & O_NONBLOCK));
	fflush(stdout);
}

static void read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "db:r:t:p:s:exnfgk")) != -1) {
		switch (c) {
		case 'd':
			options.drain = true;
			break;
		case 'b':
			options.backlog = atoi(optarg);
			break;
		case 'r':
			options.reuseport = atoi(optarg);
			break;
		case 't':
			options.threads = atoi(optarg);
			break;
		case 'p':
			options.pause_ms = atoi(optarg);
			break;
		case 's':
			options.slow_ms = atoi(optarg);
			break;
		case 'e':
			options.epoll = true;
			break;
		case 'x':
			options.type |= SOCK_CLOEXEC;
			break;
		case 'n':
			options.type |= SOCK_NONBLOCK;
			break;
		case 'f':
			options.daemon = true;
			break;
		case 'g':
			options.early = true;
			break;
		case 'k':
			options.again = true;
			break;
		default:
			fputs(usage, stderr);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	pthread_t threads[1024];
	int socks[256];
	size_t n, n_threads = 0;

	read_options(argc, argv);
	if (argc - optind < 2) {
		fputs(usage, stderr);
		return 2;
	}
	n = open_all(argv + optind, socks);
	if (options.again) {
		for (size_t i = 0; i < n; i++)
			close(socks[i]);
		n = open_all(argv + optind, socks);
	}
	say_ready(socks[0]);
	if (options.daemon)
		go_on_as_child();
	if (pipe2(stop, O_CLOEXEC) < 0)
		die("pipe");
	if (options.drain)
		signal(SIGTERM, on_term);
	for (size_t i = 0; i < n; i++) {
		fcntl(socks[i], F_SETFL, fcntl(socks[i], F_GETFL) | O_NONBLOCK);
		for (int t = 0; t < options.threads; t++)
			pthread_create(&threads[n_threads++], NULL, serve, (void *)(intptr_t)socks[i]);
	}
	for (size_t i = 0; i < n_threads; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
