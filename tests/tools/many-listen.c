// SPDX-License-Identifier: BSD-2-Clause
/*
 * Many TCP listeners that tell each client which of them it reached:
 *
 *   many-listen workers COUNT PORT [ADDRESS]   COUNT processes, each with a SO_REUSEPORT socket of its own
 *   many-listen sockets COUNT PORT ADDRESS     one process with COUNT sockets, from ADDRESS on upwards
 *
 * The line is "many PID BOUND-ADDRESS reached ADDRESS port PORT". The exit
 * status is the errno of what failed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG 1024

_Noreturn static void fail(const char *what)
{
	int err = errno;

	fprintf(stderr, "many-listen: %s: %s\n", what, strerror(err));
	exit(err);
}

/* The address in host byte order. */
static int listener(uint32_t address, uint16_t port, int shared)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(address)};
	int sock = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	if (sock < 0)
		fail("socket");
	if (setsockopt(sock, SOL_SOCKET, shared, &one, sizeof(one)) < 0)
		fail("setsockopt");
	if (bind(sock, (struct sockaddr *)&to, sizeof(to)) < 0)
		fail("bind");
	if (listen(sock, BACKLOG) < 0)
		fail("listen");
	return sock;
}

static struct sockaddr_in local_address(int sock)
{
	struct sockaddr_in local = {0};
	socklen_t length = sizeof(local);

	if (getsockname(sock, (struct sockaddr *)&local, &length) < 0)
		fail("getsockname");
	return local;
}

static void serve_one(int sock)
{
	struct sockaddr_in bound = local_address(sock), reached;
	char own[INET_ADDRSTRLEN], to[INET_ADDRSTRLEN];
	int client = accept(sock, NULL, NULL);

	if (client < 0)
		return; /* it has left already */
	reached = local_address(client);
	inet_ntop(AF_INET, &bound.sin_addr, own, sizeof(own));
	inet_ntop(AF_INET, &reached.sin_addr, to, sizeof(to));
	dprintf(client, "many %d %s reached %s port %u\n", getpid(), own, to, ntohs(reached.sin_port));
	close(client);
}

static void run_workers(long count, uint16_t port, uint32_t address)
{
	for (long i = 0; i < count; i++) {
		if (fork() == 0) {
			int sock;

			prctl(PR_SET_PDEATHSIG, SIGKILL);
			sock = listener(address, port, SO_REUSEPORT);
			for (;;)
				serve_one(sock);
		}
	}
	while (wait(NULL) > 0)
		;
}

static void run_sockets(long count, uint16_t port, uint32_t address)
{
	struct rlimit limit = {(rlim_t)count + 100, (rlim_t)count + 100};
	int epoll = epoll_create1(0);

	if (epoll < 0 || setrlimit(RLIMIT_NOFILE, &limit) < 0)
		fail("limit");
	for (long i = 0; i < count; i++) {
		struct epoll_event event = {.events = EPOLLIN};

		event.data.fd = listener(address + (uint32_t)i, port, SO_REUSEADDR);
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
			fail("epoll");
	}
	printf("ready\n");
	fflush(stdout);
	for (;;) {
		struct epoll_event event;

		if (epoll_wait(epoll, &event, 1, -1) == 1)
			serve_one(event.data.fd);
	}
}

int main(int argc, char **argv)
{
	struct in_addr address = {.s_addr = htonl(INADDR_LOOPBACK)};
	uint16_t port;

	if (argc < 4 || (argc > 4 && inet_pton(AF_INET, argv[4], &address) != 1))
		return EINVAL;
	signal(SIGPIPE, SIG_IGN);
	port = (uint16_t)atoi(argv[3]);
	if (strcmp(argv[1], "workers") == 0)
		run_workers(atol(argv[2]), port, ntohl(address.s_addr));
	else if (strcmp(argv[1], "sockets") == 0)
		run_sockets(atol(argv[2]), port, ntohl(address.s_addr));
	return EINVAL;
}
