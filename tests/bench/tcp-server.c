// SPDX-License-Identifier: BSD-2-Clause
/*
 * tcp-server ADDRESS PORT [N] [transparent]: takes connections on N ports from
 * PORT on; sends the first byte of each back and closes. It does as little as a
 * server can, so that it is not what limits the figures.
 *
 * `transparent` is for TPROXY: connections to foreign ports arrive then.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 4096

_Noreturn static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void watch(int epoll, int sock, int listens)
{
	struct epoll_event event = {.events = EPOLLIN,
				    .data.u64 = (unsigned int)sock | (uint64_t)listens << 32};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, sock, &event) < 0)
		die("epoll_ctl");
}

static void listen_at(int epoll, struct in_addr address, unsigned int port, int transparent)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = address};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

	if (sock < 0)
		die("socket");
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (transparent && setsockopt(sock, IPPROTO_IP, IP_TRANSPARENT, &one, sizeof(one)) < 0)
		die("IP_TRANSPARENT");
	if (bind(sock, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("bind");
	if (listen(sock, BACKLOG) < 0)
		die("listen");
	watch(epoll, sock, 1);
}

/* Returns whether it is done: the byte came and went back, or never will. */
static int answer(int sock)
{
	char byte;
	ssize_t n = recv(sock, &byte, 1, 0);

	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n == 1)
		send(sock, &byte, 1, MSG_NOSIGNAL);
	close(sock);
	return 1;
}

static void take_connections(int epoll, int listener)
{
	int sock;

	while ((sock = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (!answer(sock))
			watch(epoll, sock, 0);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("accept");
}

int main(int argc, char **argv)
{
	int n = argc > 3 ? atoi(argv[3]) : 1, port = argc > 2 ? atoi(argv[2]) : 0, epoll;
	int transparent = argc > 4 && strcmp(argv[4], "transparent") == 0;
	struct epoll_event events[64];
	struct in_addr address;

	if (argc < 3 || inet_pton(AF_INET, argv[1], &address) != 1 || port < 1 || n < 1 || port + n > 65536) {
		fprintf(stderr, "usage: %s ADDRESS PORT [N] [transparent]\n", argv[0]);
		return 2;
	}
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		die("epoll_create1");
	for (int i = 0; i < n; i++)
		listen_at(epoll, address, port + i, transparent);
	for (;;) {
		int ready = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < ready; i++) {
			int sock = (int)(events[i].data.u64 & 0xffffffff);

			if (events[i].data.u64 >> 32)
				take_connections(epoll, sock);
			else
				answer(sock);
		}
	}
}
