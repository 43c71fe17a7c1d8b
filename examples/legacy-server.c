// SPDX-License-Identifier: BSD-2-Clause
/*
 * A server as they were always written: it knows one port and nothing else.
 *
 *	legacy-server [PORT [ADDRESS]]		default 8080 on every IPv4 address
 *
 * It tells each client which address and port the client reached, as
 * getsockname() has it, and then sends back every line until the client closes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 64

static int listen_on(const char *address, const char *port)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	struct addrinfo *to;
	int sock, one = 1, err = getaddrinfo(address, port, &hints, &to);

	if (err) {
		fprintf(stderr, "legacy-server: %s port %s: %s\n", address, port, gai_strerror(err));
		return -1;
	}
	sock = socket(to->ai_family, SOCK_STREAM, 0);
	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(sock, to->ai_addr, to->ai_addrlen) < 0 || listen(sock, 64) < 0) {
		fprintf(stderr, "legacy-server: %s port %s: %s\n", address, port, strerror(errno));
		return -1;
	}
	freeaddrinfo(to);
	return sock;
}

/* Returns 0, or -1 when the client is gone. */
static int greet(int client)
{
	struct sockaddr_storage local;
	socklen_t length = sizeof(local);
	char address[INET6_ADDRSTRLEN], port[8], text[128];
	int n;

	if (getsockname(client, (struct sockaddr *)&local, &length) < 0 ||
	    getnameinfo((struct sockaddr *)&local, length, address, sizeof(address), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV))
		return -1;
	n = snprintf(text, sizeof(text), "legacy-server: you reached %s port %s\n", address, port);
	return write(client, text, n) == n ? 0 : -1;
}

static int echo(int client)
{
	char buffer[4096];
	ssize_t n = read(client, buffer, sizeof(buffer));

	return n > 0 && write(client, buffer, n) == n ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct pollfd fds[1 + CLIENTS];
	nfds_t used = 1;

	signal(SIGPIPE, SIG_IGN);
	fds[0].fd = listen_on(argc > 2 ? argv[2] : "0.0.0.0", argc > 1 ? argv[1] : "8080");
	if (fds[0].fd < 0)
		return 1;
	for (;;) {
		/* with all places taken, newcomers wait in the kernel's queue */
		fds[0].events = used <= CLIENTS ? POLLIN : 0;
		if (poll(fds, used, -1) < 0)
			return 1;
		for (nfds_t i = used - 1; i > 0; i--) {
			if (fds[i].revents && echo(fds[i].fd) < 0) {
				close(fds[i].fd);
				fds[i] = fds[--used];
			}
		}
		if (fds[0].revents) {
			int client = accept(fds[0].fd, NULL, NULL);

			if (client >= 0 && greet(client) < 0)
				close(client);
			else if (client >= 0)
				fds[used++] = (struct pollfd){.fd = client, .events = POLLIN};
		}
	}
}
