// SPDX-License-Identifier: BSD-2-Clause
/*
 * What one lookup costs: bpf/dispatch.bpf.c beside an empty program, beside
 * the least that picks a socket, and beside a pair of LPM-trie lookups.
 *
 * The machine drifts and has fast and slow states, so figures compare only
 * inside one run: each round takes every cell of the table once, in another
 * order, with another covered port, and ratios are taken round by round. All
 * is loaded anew several times, because it matters where the kernel happens
 * to put a program. Nothing is attached, and the network namespace is its own.
 *
 * 60,000 ports are covered by as many trie entries there. Ours has room for
 * 16,383 bindings, so it takes all of them: 1,844 single ports and 14,539
 * ranges of 4, each with its own prefix node and counter. Every binding is one
 * /24 or /64; all lead to one listening socket.
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

#define LOADS	4  /* times that everything is loaded anew */
#define ROUNDS	12 /* through the table for each load */
#define REPEAT	100000
#define SINGLES 2000 /* lookups of a round where each is for another port */

enum {
	N_FAMILIES = 2,
	N_COLUMNS = 3,
	N_ROWS = 6,
	N_CELLS = N_FAMILIES * N_COLUMNS * N_ROWS,
	N_SAMPLES = LOADS * ROUNDS,
};

enum row { EMPTY, LEAST, OURS_HIT, OURS_MISS, TRIES_HIT, TRIES_MISS };

static const char *const row_names[N_ROWS] = {
	"empty program",
	"floor: one socket, picked",
	"ours, hit",
	"ours, miss",
	"two LPM lookups, hit",
	"two LPM lookups, miss",
};

static const int families[N_FAMILIES] = {AF_INET, AF_INET6};
static const unsigned int columns[N_COLUMNS] = {1, 1000, 60000};
static const unsigned char net6[8] = {0x20, 0x01, 0x0d, 0xb8};

/* One family with one number of bindings, in both designs. */
struct tables {
	int family;
	unsigned int ports;
	struct dispatch_bpf *ours;
	struct lookup_bpf *others;
};

static struct {
	double steady[N_SAMPLES];   /* ns for each lookup, the same port again and again */
	double changing[N_SAMPLES]; /* ns for each lookup, every time another port, less the empty program's */
} cells[N_FAMILIES][N_COLUMNS][N_ROWS];

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

static void fill_ours(struct skl_tables *t, int family, unsigned int ports)
{
	unsigned int wide = ports < SKL_NODES ? 0 : (ports - (SKL_NODES - 1) + 2) / 3; /* ranges of 4 */
	__u16 node = 1;

	for (unsigned int n = 0; n < ports; node++) {
		unsigned int width = wide ? 4 : 1;

		if (family == AF_INET)
			t->nodes4[node] = (struct skl_node4){
				.address = 0x7f000000, .prefixlen = 24, .slot = 1, .binding = node};
		else
			t->nodes6[node] = (struct skl_node6){
				.high = 0x20010db8ull << 32, .prefixlen = 64, .slot = 1, .binding = node};
		for (unsigned int i = 0; i < width && n < ports; i++, n++)
			t->words[SKL_TCP][covered_port(n, ports)] =
				family == AF_INET ? SKL_WORD(node, 0) : SKL_WORD(0, node);
		if (wide)
			wide--;
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

static void load(struct tables *t)
{
	int fd = listener(t->family);

	t->ours = dispatch_bpf__open_and_load();
	if (!t->ours)
		die("bpf/dispatch.bpf.c");
	t->others = lookup_bpf__open_and_load();
	if (!t->others)
		die("tests/bench/lookup.bpf.c");
	put_socket(t->ours->maps.sockets, 1, fd);
	put_socket(t->others->maps.sockets, 0, fd);
	fill_ours(&t->ours->bss->tables, t->family, t->ports);
	fill_tries(bpf_map__fd(t->others->maps.bindings), t->family, t->ports);
}

static int program_of(const struct tables *t, enum row row)
{
	switch (row) {
	case EMPTY:
		return bpf_program__fd(t->others->progs.empty);
	case LEAST:
		return bpf_program__fd(t->others->progs.least);
	case OURS_HIT:
	case OURS_MISS:
		return bpf_program__fd(t->ours->progs.skl_dispatch);
	default:
		return bpf_program__fd(t->others->progs.two_tries);
	}
}

/* A packet to some address and port that is covered, or not. */
static void make_packet(struct bpf_sk_lookup *ctx, const struct tables *t, int hit)
{
	*ctx = (struct bpf_sk_lookup){.family = t->family, .protocol = IPPROTO_TCP, .remote_port = htons(40000)};
	ctx->local_port = hit ? covered_port(random() % t->ports, t->ports) : 60001 + random() % 5000;
	if (t->family == AF_INET) {
		ctx->local_ip4 = htonl(0x7f000000 | (random() & 0xff));
		ctx->remote_ip4 = htonl(INADDR_LOOPBACK);
	} else {
		memcpy(ctx->local_ip6, net6, sizeof(net6));
		ctx->local_ip6[3] = random();
		memcpy(ctx->remote_ip6, net6, sizeof(net6));
	}
}

static double cpu_time(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Runs the program of this cell and checks that it does what its row says. Returns ns as the kernel has them.
 */
static __u32 run(const struct tables *t, enum row row, int repeat)
{
	int hit = row == LEAST || row == OURS_HIT || row == TRIES_HIT;
	struct bpf_sk_lookup ctx, after = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &after,
		    .ctx_size_out = sizeof(after), .repeat = repeat);

	make_packet(&ctx, t, hit);
	if (bpf_prog_test_run_opts(program_of(t, row), &opts))
		die("BPF_PROG_TEST_RUN");
	if (opts.retval != 1 /* SK_PASS */ || !hit != !after.cookie) {
		fprintf(stderr, "lookup: %s: port %u: wrong verdict\n", row_names[row], ctx.local_port);
		exit(1);
	}
	return opts.duration;
}

static double run_steady(const struct tables *t, enum row row)
{
	double start = cpu_time();

	run(t, row, REPEAT); /* takes long enough for the system call itself to vanish */
	return (cpu_time() - start) / REPEAT;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts the values. */
static double quartile(double *values, int which)
{
	qsort(values, N_SAMPLES, sizeof(*values), compare);
	return values[which * (N_SAMPLES - 1) / 4];
}

static double run_changing(const struct tables *t, enum row row)
{
	double sum = 0;

	for (int i = 0; i < SINGLES; i++) {
		__u32 ns = run(t, row, 1);

		sum += ns < 2000 ? ns : 2000; /* an interrupt is not the program's */
	}
	return sum / SINGLES;
}

static void measure(struct tables tables[N_FAMILIES][N_COLUMNS], int sample)
{
	int step = 7; /* has no divisor in common with N_CELLS */

	for (int i = 0, c = sample * 5; i < N_CELLS; i++, c += step) {
		int cell = c % N_CELLS, f = cell / (N_COLUMNS * N_ROWS), n = cell / N_ROWS % N_COLUMNS;
		enum row row = cell % N_ROWS;

		cells[f][n][row].steady[sample] = run_steady(&tables[f][n], row);
		cells[f][n][row].changing[sample] = run_changing(&tables[f][n], row);
	}
	for (int f = 0; f < N_FAMILIES; f++)
		for (int n = 0; n < N_COLUMNS; n++)
			for (int row = N_ROWS - 1; row >= EMPTY; row--)
				cells[f][n][row].changing[sample] -= cells[f][n][EMPTY].changing[sample];
}

static double ratio_of(const double *a, const double *b)
{
	double ratios[N_SAMPLES];

	for (int i = 0; i < N_SAMPLES; i++)
		ratios[i] = a[i] / b[i];
	return quartile(ratios, 2);
}

/* Says how a/b stands to what was promised. Returns whether it holds. */
static int judge(const char *what, const double *a, const double *b, double most)
{
	double ratio = ratio_of(a, b);

	printf("  %-44s %5.2f  (at most %.2f)%s\n", what, ratio, most, ratio <= most ? "" : "  MISSED");
	return ratio <= most;
}

static int report(int f)
{
	int good = 1, last = N_COLUMNS - 1;

	printf("\nIPv%d: ns for one lookup, the same port again and again: median (quartiles)\n%-28s", f ? 6 : 4,
	       "");
	for (int n = 0; n < N_COLUMNS; n++)
		printf("%12u binding%s ", columns[n], columns[n] == 1 ? " " : "s");
	for (int row = 0; row < N_ROWS; row++) {
		printf("\n%-28s", row_names[row]);
		for (int n = 0; n < N_COLUMNS; n++) {
			double copy[N_SAMPLES];

			memcpy(copy, cells[f][n][row].steady, sizeof(copy));
			printf("%7.1f (%5.1f-%5.1f)", quartile(copy, 2), quartile(copy, 1), quartile(copy, 3));
		}
	}
	printf("\nevery time another port, less the empty program:");
	for (int row = LEAST; row < N_ROWS; row++) {
		printf("\n%-28s", row_names[row]);
		for (int n = 0; n < N_COLUMNS; n++) {
			double copy[N_SAMPLES];

			memcpy(copy, cells[f][n][row].changing, sizeof(copy));
			printf("%7.1f (%5.1f-%5.1f)", quartile(copy, 2), quartile(copy, 1), quartile(copy, 3));
		}
	}
	printf("\n");
	good &= judge("hit / floor, 60,000 bindings", cells[f][last][OURS_HIT].steady,
		      cells[f][last][LEAST].steady, 1.5);
	good &= judge("miss / empty, 60,000 bindings", cells[f][last][OURS_MISS].steady,
		      cells[f][last][EMPTY].steady, 1.4);
	good &= judge("hit, 60,000 bindings / 1 binding", cells[f][last][OURS_HIT].steady,
		      cells[f][0][OURS_HIT].steady, 1.1);
	good &= judge("miss, 60,000 bindings / 1 binding", cells[f][last][OURS_MISS].steady,
		      cells[f][0][OURS_MISS].steady, 1.1);
	good &= judge("hit / two LPM lookups, 60,000 bindings", cells[f][last][OURS_HIT].steady,
		      cells[f][last][TRIES_HIT].steady, 0.2);
	return good;
}

int main(void)
{
	struct tables tables[N_FAMILIES][N_COLUMNS];
	int good = 1, cpu = sched_getcpu();
	cpu_set_t set;

	/* Nothing below is attached anywhere; even so the machine's own namespace is none of our business. */
	if (unshare(CLONE_NEWNET))
		die("no network namespace of its own");
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("pinning to one CPU");
	printf("%d loads of %d rounds, %d lookups for each figure of a round, on CPU %d\n", LOADS, ROUNDS, REPEAT,
	       cpu);
	for (int l = 0; l < LOADS; l++) {
		for (int f = 0; f < N_FAMILIES; f++) {
			for (int n = 0; n < N_COLUMNS; n++) {
				tables[f][n] = (struct tables){.family = families[f], .ports = columns[n]};
				load(&tables[f][n]);
			}
		}
		for (int r = 0; r < ROUNDS; r++)
			measure(tables, l * ROUNDS + r);
		for (int f = 0; f < N_FAMILIES; f++) {
			for (int n = 0; n < N_COLUMNS; n++) {
				dispatch_bpf__destroy(tables[f][n].ours);
				lookup_bpf__destroy(tables[f][n].others);
			}
		}
	}
	for (int f = 0; f < N_FAMILIES; f++)
		good &= report(f);
	return good ? 0 : 1;
}
