/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the clients that measure have in common: places where a server answers,
 * each in its network namespace, and taking turns among them, because only
 * what is measured shortly after one another can be compared.
 *
 * Each place is four arguments: NAME NETNS ADDRESS PORTS, where NETNS is the
 * path of a network namespace and PORTS is one port or FIRST-LAST.
 * A line for each turn goes to the standard output: round, name and figure, with tabs between.
 *
 * A turn is measured in units of a fraction of a millisecond, and its figure is
 * that of the median unit: in some, the machine did something else for longer
 * than that.
 */
#ifndef SKL_BENCH_TURNS_H
#define SKL_BENCH_TURNS_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PLACES_MAX 16
#define UNITS_MAX  4096

struct place {
	const char *name;
	int netns;
	struct sockaddr_in address;
	unsigned int first, last; /* ports */
	unsigned int next;	  /* what is added to the first for the next connection */
};

_Noreturn static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

_Noreturn static inline void die_at(const struct place *p, const char *what)
{
	fprintf(stderr, "%s, port %u: ", p->name, ntohs(p->address.sin_port));
	die(what);
}

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Calls unit(p) for some seconds, and once more before that, because what ran before has had the caches. */
static inline double median_unit(struct place *p, double seconds, void (*unit)(struct place *))
{
	static double took[UNITS_MAX];
	double start, begin, end;
	int n = 0;

	unit(p);
	start = end = now();
	do {
		begin = end;
		unit(p);
		end = now();
		took[n++] = end - begin;
	} while (end - start < seconds && n < UNITS_MAX);
	qsort(took, n, sizeof(*took), by_value);
	return n % 2 ? took[n / 2] : (took[n / 2 - 1] + took[n / 2]) / 2;
}

/* The ports of a place in turn. */
static inline const struct sockaddr *next_address(struct place *p)
{
	p->address.sin_port = htons(p->first + p->next);
	p->next = (p->next + 1) % (p->last - p->first + 1);
	return (const struct sockaddr *)&p->address;
}

static inline void parse_place(char **argv, struct place *p)
{
	int n;

	memset(p, 0, sizeof(*p));
	p->name = argv[0];
	p->netns = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (p->netns < 0)
		die(argv[1]);
	p->address.sin_family = AF_INET;
	n = sscanf(argv[3], "%u-%u", &p->first, &p->last);
	if (n == 1)
		p->last = p->first;
	if (inet_pton(AF_INET, argv[2], &p->address.sin_addr) != 1 || n < 1 || p->first < 1 ||
	    p->last < p->first || p->last > 65535) {
		fprintf(stderr, "%s: %s %s: is no IPv4 address with ports\n", argv[0], argv[2], argv[3]);
		exit(2);
	}
}

/* Another order each time, so that no place always has the same one before it. */
static inline void shuffle(struct place **places, int n)
{
	for (int i = n - 1; i > 0; i--) {
		int other = (int)(random() % (i + 1));
		struct place *p = places[i];

		places[i] = places[other];
		places[other] = p;
	}
}

/* Sockets are made in the network namespace that the process is in. */
static inline void take_turns(int n_arguments, char **arguments, int rounds, double (*turn)(struct place *))
{
	struct place places[PLACES_MAX], *order[PLACES_MAX];
	int n = n_arguments / 4;

	if (n < 1 || n > PLACES_MAX || n_arguments % 4 != 0) {
		fprintf(stderr, "each place is NAME NETNS ADDRESS PORTS, and there are %d at most\n",
			PLACES_MAX);
		exit(2);
	}
	for (int i = 0; i < n; i++) {
		parse_place(arguments + 4 * i, &places[i]);
		order[i] = &places[i];
	}
	for (int round = 0; round < rounds; round++) {
		if (round > 0) /* the first is the order of the tables */
			shuffle(order, n);
		for (int i = 0; i < n; i++) {
			struct place *p = order[i];

			if (setns(p->netns, CLONE_NEWNET) < 0)
				die_at(p, "setns");
			printf("%d\t%s\t%.1f\n", round, p->name, turn(p));
		}
	}
}

#endif
