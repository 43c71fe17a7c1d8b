// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tests' UDP client: udp-ask [-u] [-n ROUNDS] [-s BYTES | -t TEXT] [-b PORT] [-w MS] ADDRESS PORT...
 *
 * With one socket, sends a datagram to each PORT in turn, ROUNDS times, and
 * waits for the answer to each before the next. The answer must be what was
 * sent and come from where it was sent to: the socket is connected, so that the
 * kernel gives it nothing else, or with -u it is not, and sees for itself. With
 * TEXT any answer will do, and it is printed.
 *
 * The exit status is 0 or the errno of what failed: ECONNREFUSED (111) where
 * nobody is, ETIMEDOUT (110) after MS without an answer (1000, on slow machines
 * TESTS_SLOW times that), EBADMSG (74) for other bytes, EADDRNOTAVAIL (99) for
 * an answer from elsewhere.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_BYTES 65535

static bool unconnected;
static const char *text;
static size_t bytes = 32;
static int patience = 1000; /* ms */

static int resolve(const char *address, const char *port, struct addrinfo **out)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_DGRAM,
	};

	return getaddrinfo(address, port, &hints, out) ? -EINVAL : 0;
}

static int open_socket(int family, const char *source_port)
{
	struct addrinfo *from;
	int sock = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (sock < 0 || !source_port)
		return sock < 0 ? -errno : sock;
	if (resolve(family == AF_INET6 ? "::" : "0.0.0.0", source_port, &from))
		return -EINVAL;
	if (bind(sock, from->ai_addr, from->ai_addrlen) < 0)
		err = -errno;
	freeaddrinfo(from);
	return err ? err : sock;
}

/* No two datagrams are alike, but for those that are too short. */
static void fill(unsigned char *out, size_t n)
{
	static unsigned int number;

	number++;
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)(i < sizeof(number) ? number >> 8 * i : number * 31 + i * 7);
}

static int complain(const struct sockaddr_storage *from, socklen_t length)
{
	char host[INET6_ADDRSTRLEN], port[8];

	if (getnameinfo((const struct sockaddr *)from, length, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) == 0)
		fprintf(stderr, "udp-ask: the answer comes from %s port %s\n", host, port);
	return -EADDRNOTAVAIL;
}

static int receive(int sock, const struct addrinfo *to, const unsigned char *sent, size_t n)
{
	static unsigned char got[MOST_BYTES];
	struct pollfd ready = {.fd = sock, .events = POLLIN};
	struct sockaddr_storage from = {0};
	socklen_t length = sizeof(from);
	ssize_t got_n;

	if (poll(&ready, 1, patience) <= 0)
		return -ETIMEDOUT;
	got_n = recvfrom(sock, got, sizeof(got), 0, (struct sockaddr *)&from, &length);
	if (got_n < 0)
		return -errno;
	if (length != to->ai_addrlen || memcmp(&from, to->ai_addr, length) != 0)
		return complain(&from, length);
	if (text)
		printf("%.*s%s", (int)got_n, (char *)got, got_n && got[got_n - 1] == '\n' ? "" : "\n");
	else if ((size_t)got_n != n || memcmp(got, sent, n) != 0)
		return -EBADMSG;
	return 0;
}

static int ask(int sock, const struct addrinfo *to)
{
	static unsigned char datagram[MOST_BYTES];
	const unsigned char *what = text ? (const unsigned char *)text : datagram;
	size_t n = text ? strlen(text) : bytes;
	ssize_t sent;

	if (!text)
		fill(datagram, n);
	if (unconnected)
		sent = sendto(sock, what, n, 0, to->ai_addr, to->ai_addrlen);
	else if (connect(sock, to->ai_addr, to->ai_addrlen) < 0)
		return -errno;
	else
		sent = send(sock, what, n, 0);
	return sent < 0 ? -errno : receive(sock, to, what, n);
}

int main(int argc, char **argv)
{
	const char *source_port = NULL, *slow = getenv("TESTS_SLOW");
	long rounds = 1;
	int option, sock = -1, err = 0;

	if (slow)
		patience *= atoi(slow);
	while ((option = getopt(argc, argv, "un:s:t:b:w:")) != -1) {
		switch (option) {
		case 'u':
			unconnected = true;
			break;
		case 'n':
			rounds = atol(optarg);
			break;
		case 's':
			bytes = (size_t)atol(optarg);
			break;
		case 't':
			text = optarg;
			break;
		case 'b':
			source_port = optarg;
			break;
		case 'w':
			patience = atoi(optarg);
			break;
		default:
			return EINVAL;
		}
	}
	if (argc - optind < 2 || bytes > MOST_BYTES)
		return EINVAL;
	for (long i = 0; i < rounds && !err; i++) {
		for (int k = optind + 1; k < argc && !err; k++) {
			struct addrinfo *to;

			err = resolve(argv[optind], argv[k], &to);
			if (!err && sock < 0)
				sock = open_socket(to->ai_family, source_port);
			if (!err)
				err = sock < 0 ? sock : ask(sock, to);
			if (!err)
				freeaddrinfo(to);
		}
	}
	return -err;
}
