// SPDX-License-Identifier: BSD-2-Clause
/*
 * The tests' client: srv-ask [-l LINES] [-s SOURCE] ADDRESS PORT [TEXT]
 *
 * Connects, sends TEXT, and prints what comes back until LINES lines (default
 * 1) were seen or the other side closed. Gives up after 5 seconds, on slow
 * machines TESTS_SLOW times that. The exit status is 0, or the errno of what failed (ECONNREFUSED is 111 on
 * Linux).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int resolve(const char *address, const char *port, struct addrinfo **out)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};

	return getaddrinfo(address, port, &hints, out) ? -EINVAL : 0;
}

static int dial(const char *address, const char *port, const char *source)
{
	struct addrinfo *to, *from = NULL;
	int err = resolve(address, port, &to), sock;

	if (!err && source)
		err = resolve(source, "0", &from);
	if (err)
		return err;
	sock = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (sock < 0)
		return -errno;
	if (from && bind(sock, from->ai_addr, from->ai_addrlen) < 0)
		return -errno;
	if (connect(sock, to->ai_addr, to->ai_addrlen) < 0)
		return -errno;
	freeaddrinfo(to);
	if (from)
		freeaddrinfo(from);
	return sock;
}

static int send_all(int sock, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		ssize_t n = send(sock, text, left, MSG_NOSIGNAL);

		if (n < 0)
			return -errno;
		text += n;
		left -= n;
	}
	return 0;
}

static int print_lines(int sock, long lines)
{
	char buffer[4096];

	while (lines > 0) {
		ssize_t n = recv(sock, buffer, sizeof(buffer), 0), i;

		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		for (i = 0; i < n && lines > 0; i++)
			lines -= buffer[i] == '\n';
		fwrite(buffer, 1, i, stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *source = NULL, *slow = getenv("TESTS_SLOW");
	long lines = 1;
	int opt, sock, err;

	while ((opt = getopt(argc, argv, "l:s:")) != -1) {
		if (opt == 'l')
			lines = atol(optarg);
		else if (opt == 's')
			source = optarg;
		else
			return EINVAL;
	}
	if (argc - optind < 2 || argc - optind > 3)
		return EINVAL;
	alarm(5 *
	      (slow ? (unsigned int)atoi(slow) : 1)); /* then the status is that of SIGALRM, 142 to a shell */
	sock = dial(argv[optind], argv[optind + 1], source);
	if (sock < 0)
		return -sock;
	err = argv[optind + 2] ? send_all(sock, argv[optind + 2]) : 0;
	if (!err)
		err = print_lines(sock, lines);
	close(sock);
	return -err;
}
