// SPDX-License-Identifier: BSD-2-Clause
/*
 * The ways in which programs serve UDP: udp-serve MODE PORT [ADDRESS]
 *
 * Each sends back what it gets; whoever sends "who" is told its process and the
 * kind of socket. Where bind() fails, the exit status is the errno.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_BYTES 65535
#define BATCH	   8
#define WORKERS	   4

static const char *port, *address = "127.0.0.1";

_Noreturn static void fail(const char *what)
{
	int err = errno;

	fprintf(stderr, "udp-serve: %s: %s\n", what, strerror(err));
	exit(err);
}

static int make_socket(struct addrinfo **where, int shared)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
				       .ai_socktype = SOCK_DGRAM};
	int sock, one = 1;

	if (getaddrinfo(address, port, &hints, where))
		exit(EINVAL);
	sock = socket((*where)->ai_family, SOCK_DGRAM, 0);
	if (sock < 0)
		fail("socket");
	if (shared && setsockopt(sock, SOL_SOCKET, shared, &one, sizeof(one)) < 0)
		fail("setsockopt");
	return sock;
}

static int bound_socket(int shared)
{
	struct addrinfo *where;
	int sock = make_socket(&where, shared);

	errno = 0;
	if (bind(sock, where->ai_addr, where->ai_addrlen) < 0)
		fail("bind");
	if (errno != 0)
		fail("bind() succeeded and changed errno");
	freeaddrinfo(where);
	return sock;
}

/* What to answer, instead of `got`: its length. */
static size_t answer_to(char *got, size_t n, const char *kind)
{
	if (n != 3 || memcmp(got, "who", 3) != 0)
		return n;
	return (size_t)snprintf(got, MOST_BYTES, "%d %s\n", getpid(), kind);
}

/* Answers to one datagram; -EAGAIN when there is none. A connected socket may get the news that its peer is
 * gone.
 */
static int serve_one(int sock, const char *kind, int flags)
{
	static char data[MOST_BYTES];
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	ssize_t n = recvfrom(sock, data, sizeof(data), flags, (struct sockaddr *)&from, &length);

	if (n < 0 && errno != ECONNREFUSED && errno != EAGAIN)
		fail("recvfrom");
	if (n < 0)
		return -errno;
	n = (ssize_t)answer_to(data, (size_t)n, kind);
	if (sendto(sock, data, (size_t)n, 0, (struct sockaddr *)&from, length) < 0 && errno != ECONNREFUSED)
		fail("sendto");
	return 0;
}

_Noreturn static void serve(int sock, const char *kind)
{
	for (;;)
		serve_one(sock, kind, 0);
}

static void run_echo(void)
{
	serve(bound_socket(0), "bound");
}

/* many datagrams with one call */
static void run_batch(void)
{
	static char data[BATCH][MOST_BYTES];
	static struct sockaddr_storage from[BATCH];
	int sock = bound_socket(0);

	for (;;) {
		struct mmsghdr messages[BATCH] = {0};
		struct iovec parts[BATCH];
		int n;

		for (int i = 0; i < BATCH; i++) {
			parts[i] = (struct iovec){data[i], sizeof(data[i])};
			messages[i].msg_hdr = (struct msghdr){.msg_name = &from[i],
							      .msg_namelen = sizeof(from[i]),
							      .msg_iov = &parts[i],
							      .msg_iovlen = 1};
		}
		n = recvmmsg(sock, messages, BATCH, MSG_WAITFORONE, NULL);
		if (n < 0)
			fail("recvmmsg");
		for (int i = 0; i < n; i++)
			parts[i].iov_len = answer_to(data[i], messages[i].msg_len, "batch");
		if (sendmmsg(sock, messages, (unsigned int)n, 0) != n)
			fail("sendmmsg");
	}
}

/* names the address that was asked as the source of the answer */
static void run_named(void)
{
	static char data[MOST_BYTES];
	int sock = bound_socket(0), one = 1;

	if (setsockopt(sock, IPPROTO_IP, IP_PKTINFO, &one, sizeof(one)) < 0 ||
	    setsockopt(sock, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one)) < 0)
		fail("setsockopt");
	for (;;) {
		union {
			char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
			struct cmsghdr align;
		} control;
		struct sockaddr_storage from;
		struct iovec part = {data, sizeof(data)};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = &control,
					 .msg_controllen = sizeof(control)};
		ssize_t n = recvmsg(sock, &message, 0);

		if (n < 0)
			fail("recvmsg");
		part.iov_len = answer_to(data, (size_t)n, "named");
		if (sendmsg(sock, &message, 0) < 0)
			fail("sendmsg");
	}
}

/* put into epoll before it is bound, as Erlang does */
static void run_early(void)
{
	struct addrinfo *where;
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	int sock = make_socket(&where, 0), epoll = epoll_create1(0);

	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, sock, &event) < 0)
		fail("epoll");
	if (bind(sock, where->ai_addr, where->ai_addrlen) < 0)
		fail("bind");
	while (epoll_wait(epoll, &event, 1, -1) == 1) {
		while (serve_one(sock, "early", MSG_DONTWAIT) != -EAGAIN)
			;
	}
	fail("epoll_wait");
}

/*
 * Connects its socket to whoever sends first, leaves it to a child and binds a
 * successor, as socat and ncat do.
 */
static void run_succeed(void)
{
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int sock = bound_socket(SO_REUSEADDR);
		struct sockaddr_storage from;
		socklen_t length = sizeof(from);
		char nothing;

		if (recvfrom(sock, &nothing, sizeof(nothing), MSG_PEEK, (struct sockaddr *)&from, &length) <
		    0)
			fail("recvfrom");
		if (connect(sock, (struct sockaddr *)&from, length) < 0)
			fail("connect");
		if (fork() == 0)
			serve(sock, "connected");
		close(sock);
	}
}

/* connects its socket to whoever sends first, and has no successor */
static void run_connect(void)
{
	int sock = bound_socket(0);
	struct sockaddr_storage from;
	socklen_t length = sizeof(from);
	char nothing;

	if (recvfrom(sock, &nothing, sizeof(nothing), MSG_PEEK, (struct sockaddr *)&from, &length) < 0 ||
	    connect(sock, (struct sockaddr *)&from, length) < 0)
		fail("connect");
	serve(sock, "connected");
}

/* several sockets on one port, each with a process */
static void run_reuseport(void)
{
	int socks[WORKERS];

	for (int i = 0; i < WORKERS; i++)
		socks[i] = bound_socket(SO_REUSEPORT);
	for (int i = 0; i < WORKERS - 1; i++) {
		if (fork() == 0) {
			for (int k = 0; k < WORKERS; k++) {
				if (k != i)
					close(socks[k]);
			}
			serve(socks[i], "worker");
		}
		close(socks[i]);
	}
	serve(socks[WORKERS - 1], "worker");
}

static void tell(const char *what, ssize_t result, int error)
{
	if (result < 0)
		printf("%s: %s\n", what, strerror(error));
	else
		printf("%s: %zd\n", what, result);
	fflush(stdout);
}

static void try(int sock, const char *what, size_t room, int flags)
{
	static char data[MOST_BYTES];
	ssize_t n = recv(sock, data, room, flags | MSG_DONTWAIT);

	tell(what, n, errno);
}

/* Says what the calls return that programs look at a datagram with, each time that one comes. */
static void run_look(void)
{
	int sock = bound_socket(0), queued;

	for (;;) {
		struct pollfd ready = {.fd = sock, .events = POLLIN};

		if (poll(&ready, 1, -1) < 0)
			fail("poll");
		tell("FIONREAD", ioctl(sock, FIONREAD, &queued) < 0 ? -1 : queued, errno);
		try(sock, "peek and truncate, no room", 0, MSG_PEEK | MSG_TRUNC);
		try(sock, "peek and truncate, room for 1", 1, MSG_PEEK | MSG_TRUNC);
		try(sock, "peek, room for all", MOST_BYTES, MSG_PEEK);
		try(sock, "error queue", MOST_BYTES, MSG_ERRQUEUE);
		try(sock, "truncate, room for 1", 1, MSG_TRUNC);
		try(sock, "the next, no room", 0, 0);
		try(sock, "the next, room for all", MOST_BYTES, 0);
		try(sock, "after that", MOST_BYTES, 0);
		printf("end\n");
		fflush(stdout);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
	{"echo", run_echo},	  {"batch", run_batch},		{"early", run_early},
	{"succeed", run_succeed}, {"reuseport", run_reuseport}, {"look", run_look},
	{"connect", run_connect}, {"named", run_named},
};

int main(int argc, char **argv)
{
	if (argc < 3)
		return EINVAL;
	port = argv[2];
	if (argc > 3)
		address = argv[3];
	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, argv[1]) == 0)
			modes[i].run();
	fprintf(stderr, "udp-serve: no mode %s\n", argv[1]);
	return EINVAL;
}
