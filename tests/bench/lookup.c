// SPDX-License-Identifier: BSD-2-Clause
/*
 * What one lookup costs: bpf/dispatch.bpf.c beside an empty program, beside
 * the least that picks a socket, and beside a pair of LPM-trie lookups.
 *
 * The machine drifts and has fast and slow states, so figures compare only
 * inside one run: each round takes every cell of the tables once, in another
 * order, with another port. All is loaded anew several times, because it
 * matters where the kernel happens to put a program. Nothing is attached, and
 * the network namespace is its own.
 *
 * 60,000 ports are as many trie entries there. Ours has room for 16,383
 * bindings; so it is measured with all of these, ranges of three and four
 * ports, each with its own prefix node and counter, and also with the whole in
 * one range. Every binding is for one /24 or /64; all lead to one socket.
 *
 * A line for each figure goes to the standard output: table, column, row,
 * round and ns, with tabs between.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "bpf/maps.h"
#include "bpf/dispatch.skel.h"
#include "bench/lookup.skel.h"
#include "tests/bench/lookup.h"

#define LOADS	5  /* times that everything is loaded anew */
#define ROUNDS	20 /* through the table for each load */
#define SPARSE	5  /* only every so many rounds are the dear figures taken */
#define REPEAT	20000
#define SINGLES 2000 /* lookups for one figure where each is for another port */

enum {
	N_FAMILIES = 2,
	N_COLUMNS = 4,
	N_ROWS = 6,
	N_GROUPS = N_FAMILIES * N_COLUMNS,
};

enum row { EMPTY, LEAST, OURS_HIT, OURS_MISS, TRIES_HIT, TRIES_MISS };

static const char *const row_names[N_ROWS] = {
	"empty program", "floor: one socket, picked", "ours, hit",
	"ours, miss",	 "two LPM lookups, hit",      "two LPM lookups, miss",
};

static const int families[N_FAMILIES] = {AF_INET, AF_INET6};
static const struct column {
	unsigned int ports, bindings;
	const char *name;
} columns[N_COLUMNS] = {
	{1, 1, "1 port"},
	{1000, 1000, "1,000 ports"},
	{60000, SKL_NODES - 1, "60,000 ports"},
	{60000, 1, "60,000 in one range"},
};

static const unsigned char net6[8] = {0x20, 0x01, 0x0d, 0xb8};

/* One family with one number of bindings, in both designs. */
struct design {
	int family;
	unsigned int ports, bindings;
	int listener;
	struct dispatch_bpf *ours;
	struct lookup_bpf *others;
};

enum kind {
	STEADY, /* the same port again and again */
	WARM,	/* every time another port, all of which were used just before */
	COLD,	/* every time another port, after other programs have run */
	N_KINDS
};

static const char *const tables[N_FAMILIES][N_KINDS] = {
	{"lookup4", "lookup4 warm", "lookup4 cold"},
	{"lookup6", "lookup6 warm", "lookup6 cold"},
};

static void die(const char *what)
{
	fprintf(stderr, "lookup: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The n-th covered port: spread, so that 1,000 of them share no cache lines in the port table. */
static unsigned int covered_port(unsigned int n, unsigned int ports)
{
	return 1 + n * (60000 / ports);
}

static int listener(int family)
{
	struct sockaddr_in6 any6 = {.sin6_family = AF_INET6};
	struct sockaddr_in any4 = {.sin_family = AF_INET};
	const struct sockaddr *any = (void *)&any6;
	socklen_t length = sizeof(any6);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (family == AF_INET) {
		any = (void *)&any4;
		length = sizeof(any4);
	}
	if (fd < 0 || bind(fd, any, length) || listen(fd, 1))
		die("no listening socket");
	return fd;
}

static void put_socket(const struct bpf_map *map, __u32 slot, int fd)
{
	__u64 value = fd;

	if (bpf_map_update_elem(bpf_map__fd(map), &slot, &value, BPF_NOEXIST))
		die("SOCKMAP");
}

static void fill_ours(struct skl_tables *t, int family, unsigned int ports, unsigned int bindings)
{
	for (unsigned int n = 0; n < ports; n++) {
		__u16 node = 1 + (unsigned long)n * bindings / ports;

		if (family == AF_INET)
			t->nodes4[node] = (struct skl_node4){
				.address = 0x7f000000, .prefixlen = 24, .slot = 1, .binding = node};
		else
			t->nodes6[node] = (struct skl_node6){
				.high = 0x20010db8ull << 32, .prefixlen = 64, .slot = 1, .binding = node};
		t->words[SKL_TCP][covered_port(n, ports)] =
			family == AF_INET ? SKL_WORD(node, 0) : SKL_WORD(0, node);
	}
}

static void fill_tries(int map, int family, unsigned int ports)
{
	struct lookup_value value = {.prefixlen = family == AF_INET ? 96 + 24 : 64};
	struct lookup_key key = {.prefixlen = 32 + value.prefixlen, .protocol = IPPROTO_TCP};

	if (family == AF_INET) {
		key.address[2] = htonl(0xffff);
		key.address[3] = htonl(0x7f000000);
	} else {
		memcpy(key.address, net6, sizeof(net6));
	}
	for (unsigned int n = 0; n < ports; n++) {
		key.port = covered_port(n, ports);
		if (bpf_map_update_elem(map, &key, &value, BPF_NOEXIST))
			die("trie");
	}
}

static void load(struct design *d)
{
	d->listener = listener(d->family);
	d->ours = dispatch_bpf__open_and_load();
	if (!d->ours)
		die("bpf/dispatch.bpf.c");
	d->others = lookup_bpf__open_and_load();
	if (!d->others)
		die("tests/bench/lookup.bpf.c");
	put_socket(d->ours->maps.sockets, 1, d->listener);
	put_socket(d->others->maps.sockets, 0, d->listener);
	fill_ours(&d->ours->bss->tables, d->family, d->ports, d->bindings);
	fill_tries(bpf_map__fd(d->others->maps.bindings), d->family, d->ports);
}

static void unload(struct design *d)
{
	close(d->listener);
	dispatch_bpf__destroy(d->ours);
	lookup_bpf__destroy(d->others);
}

static int program_of(const struct design *d, enum row row)
{
	switch (row) {
	case EMPTY:
		return bpf_program__fd(d->others->progs.empty);
	case LEAST:
		return bpf_program__fd(d->others->progs.least);
	case OURS_HIT:
	case OURS_MISS:
		return bpf_program__fd(d->ours->progs.skl_dispatch);
	default:
		return bpf_program__fd(d->others->progs.two_tries);
	}
}

/* A packet to a covered port, or to one that is not. Its address is covered and one of many. */
static void make_packet(struct bpf_sk_lookup *ctx, const struct design *d, int hit, unsigned int n)
{
	*ctx = (struct bpf_sk_lookup){
		.family = d->family, .protocol = IPPROTO_TCP, .remote_port = htons(40000)};
	ctx->local_port = hit ? covered_port(n % d->ports, d->ports) : 60001 + n % 5000;
	if (d->family == AF_INET) {
		ctx->local_ip4 = htonl(0x7f000000 | (n & 0xff));
		ctx->remote_ip4 = htonl(INADDR_LOOPBACK);
	} else {
		memcpy(ctx->local_ip6, net6, sizeof(net6));
		ctx->local_ip6[3] = n;
		memcpy(ctx->remote_ip6, net6, sizeof(net6));
	}
}

/*
 * Runs the program of this row with the n-th packet and checks that it does
 * what the row says. Returns ns for each lookup, whole ones, by the kernel's clock.
 */
static unsigned int run(const struct design *d, enum row row, unsigned int n, int repeat)
{
	int hit = row == LEAST || row == OURS_HIT || row == TRIES_HIT;
	struct bpf_sk_lookup ctx, after = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &after,
		    .ctx_size_out = sizeof(after), .repeat = repeat);

	make_packet(&ctx, d, hit, n);
	if (bpf_prog_test_run_opts(program_of(d, row), &opts))
		die("BPF_PROG_TEST_RUN");
	if (opts.retval != 1 /* SK_PASS */ || hit != (after.cookie != 0)) {
		fprintf(stderr, "lookup: %s: port %u: wrong verdict\n", row_names[row], ctx.local_port);
		exit(1);
	}
	return opts.duration;
}

static double cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Whole nanoseconds are too coarse here; and it takes long enough for the system call itself to vanish. */
static double run_steady(const struct design *d, enum row row)
{
	double start = cpu_time();

	run(d, row, random(), REPEAT);
	return (cpu_time() - start) / REPEAT;
}

static double run_changing(const struct design *d, enum row row)
{
	double sum = 0;

	for (int i = 0; i < SINGLES; i++) {
		unsigned int ns = run(d, row, random(), 1);

		sum += ns < 2000 ? ns : 2000; /* an interrupt is not the program's */
	}
	return sum / SINGLES;
}

static void add(int f, int n, enum row row, enum kind kind, int round, double ns)
{
	printf("%s\t%s\t%s\t%d\t%.2f\n", tables[f][kind], columns[n].name, row_names[row], round, ns);
}

static void measure_steady(const struct design *d, int f, int n, int round)
{
	for (int i = 0; i < N_ROWS; i++) {
		enum row row = (round + i) % N_ROWS;

		add(f, n, row, STEADY, round, run_steady(d, row));
	}
}

/* The empty program's figure holds what the timing of a single lookup costs. */
static void measure_changing(const struct design *d, int f, int n, int round)
{
	double empty = run_changing(d, EMPTY);

	for (enum row row = LEAST; row <= TRIES_MISS; row++) {
		add(f, n, row, COLD, round, run_changing(d, row) - empty);
		for (unsigned int port = 0; port < d->ports; port++)
			run(d, row, port, 1);
		add(f, n, row, WARM, round, run_changing(d, row) - empty);
	}
}

static void load_and_measure(int first_round)
{
	struct design designs[N_FAMILIES][N_COLUMNS];

	for (int f = 0; f < N_FAMILIES; f++) {
		for (int n = 0; n < N_COLUMNS; n++) {
			designs[f][n] = (struct design){.family = families[f],
							.ports = columns[n].ports,
							.bindings = columns[n].bindings};
			load(&designs[f][n]);
		}
	}
	for (int i = 0; i < ROUNDS; i++) {
		int round = first_round + i;

		for (int j = 0; j < N_GROUPS; j++) {
			int group = (round + j) % N_GROUPS, f = group / N_COLUMNS, n = group % N_COLUMNS;

			measure_steady(&designs[f][n], f, n, round);
			if (i % SPARSE == 0)
				measure_changing(&designs[f][n], f, n, round);
		}
	}
	for (int f = 0; f < N_FAMILIES; f++)
		for (int n = 0; n < N_COLUMNS; n++)
			unload(&designs[f][n]);
}

int main(void)
{
	/* Nothing below is attached anywhere; even so the machine's own namespace is none of our business. */
	if (unshare(CLONE_NEWNET))
		die("no network namespace of its own");
	for (int i = 0; i < LOADS; i++)
		load_and_measure(i * ROUNDS);
	return 0;
}
