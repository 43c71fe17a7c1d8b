// SPDX-License-Identifier: BSD-2-Clause
/*
 * tcp-client ROUNDS MS PLACE...: TCP connections per second, for MS milliseconds at each place in each round.
 *
 * A connection is opened, a byte goes there and comes back, and it is closed
 * with a reset, so that no port waits for stray packets. Some are open at
 * a time, so that neither side ever waits for the other to wake up: what
 * is measured is the work that connections make.
 */
#include <netinet/tcp.h>

#include "tests/bench/turns.h"

#define AT_A_TIME 32

static double seconds;

static int open_one(struct place *p)
{
	const struct timeval patience = {.tv_sec = 30};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		die("socket");
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(sock, next_address(p), sizeof(p->address)) < 0)
		die_at(p, "connect");
	if (send(sock, "?", 1, MSG_NOSIGNAL) != 1)
		die_at(p, "send");
	return sock;
}

static void finish_one(const struct place *p, int sock)
{
	const struct linger reset = {.l_onoff = 1};
	char byte = 0;

	if (recv(sock, &byte, 1, 0) != 1 || byte != '?')
		die_at(p, "no answer");
	setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(sock);
}

static void some(struct place *p)
{
	int socks[AT_A_TIME];

	for (int i = 0; i < AT_A_TIME; i++)
		socks[i] = open_one(p);
	for (int i = 0; i < AT_A_TIME; i++)
		finish_one(p, socks[i]);
}

static double turn(struct place *p)
{
	double took = median_unit(p, seconds, some);

	usleep(2000); /* for servers that have something to clear away */
	return AT_A_TIME / took;
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s ROUNDS MS PLACE...\n", argv[0]);
		return 2;
	}
	seconds = atoi(argv[2]) / 1e3;
	take_turns(argc - 3, argv + 3, atoi(argv[1]), turn);
	return 0;
}
