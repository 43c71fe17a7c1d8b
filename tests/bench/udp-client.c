// SPDX-License-Identifier: BSD-2-Clause
/*
 * udp-client [-f] [-w WINDOW] -r ROUNDS -t MS PLACE...   round trips per second
 * udp-client [-f] [-w WINDOW] -n COUNT PLACE...          how many of COUNT got no answer
 *
 * WINDOW questions are under way at a time: with 1, both sides mostly wait for
 * each other to wake up; with more, both work all the time. All of a turn come
 * from one socket, or (-f) each from a fresh one. The sockets are connected:
 * an answer from another address than the one that was asked does not count.
 */
#include <errno.h>
#include <stdint.h>

#include "tests/bench/turns.h"

#define WINDOW_MAX 32
#define UNIT	   32 /* round trips, a multiple of each window */

static unsigned int window = 1;
static unsigned long count;
static double seconds;
static int fresh;
static uint64_t asked; /* questions so far; each carries its number */

static int open_one(struct place *p)
{
	/* on a busy machine an answer may be late; then it is not lost */
	const struct timeval patience = {.tv_sec = 5};
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock < 0)
		die("socket");
	setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(sock, next_address(p), sizeof(p->address)) < 0)
		die_at(p, "connect");
	return sock;
}

/* Returns whether a question of `first` and later that had none was answered before the patience ended. */
static int take_answer(const struct place *p, int sock, uint64_t first, uint64_t *answered)
{
	uint64_t number, bit;

	for (;;) {
		ssize_t n = recv(sock, &number, sizeof(number), 0);

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0)
			die_at(p, "recv");
		bit = number - first < window ? 1ull << (number - first) : 0;
		if (n == sizeof(number) && bit && !(*answered & bit)) {
			*answered |= bit;
			return 1;
		}
	}
}

/* Asks WINDOW times; returns how many got no answer. */
static unsigned int ask(struct place *p, int *socks)
{
	uint64_t first = asked, answered = 0;
	unsigned int lost = 0;

	for (unsigned int i = 0; i < window; i++, asked++) {
		if (fresh)
			socks[i] = open_one(p);
		if (send(socks[i], &asked, sizeof(asked), 0) != sizeof(asked))
			die_at(p, "send");
	}
	for (unsigned int i = 0; i < window; i++) {
		if (!take_answer(p, socks[i], first, &answered)) {
			lost += fresh ? 1 : window - i;
			if (!fresh)
				break;
		}
		if (fresh)
			close(socks[i]);
	}
	return lost;
}

static int socks[WINDOW_MAX];

static void unit(struct place *p)
{
	for (unsigned int n = 0; n < UNIT; n += window) {
		if (ask(p, socks) > 0) {
			fprintf(stderr, "%s: an answer was lost\n", p->name);
			exit(1);
		}
	}
}

static double count_lost(struct place *p)
{
	unsigned long lost = 0;

	for (unsigned long n = 0; n < count; n += window)
		lost += ask(p, socks);
	return lost;
}

static double turn(struct place *p)
{
	int shared = fresh ? -1 : open_one(p);
	double figure;

	for (unsigned int i = 0; i < window; i++)
		socks[i] = shared;
	figure = count ? count_lost(p) : UNIT / median_unit(p, seconds, unit);
	if (!fresh)
		close(shared);
	return figure;
}

int main(int argc, char **argv)
{
	int opt, rounds = 1;

	while ((opt = getopt(argc, argv, "+fw:r:t:n:")) != -1) {
		if (opt == 'f')
			fresh = 1;
		else if (opt == 'w')
			window = atoi(optarg);
		else if (opt == 'r')
			rounds = atoi(optarg);
		else if (opt == 't')
			seconds = atoi(optarg) / 1e3;
		else if (opt == 'n')
			count = atol(optarg);
		else
			return 2;
	}
	if (window < 1 || UNIT % window != 0 || (!count && seconds <= 0)) {
		fprintf(stderr, "usage: %s [-f] [-w WINDOW] -r ROUNDS -t MS | -n COUNT PLACE...\n", argv[0]);
		return 2;
	}
	take_turns(argc - optind, argv + optind, rounds, turn);
	return 0;
}
