// SPDX-License-Identifier: BSD-2-Clause
/*
 * What one lookup costs: bpf/dispatch.bpf.c beside an empty program, beside
 * the least that picks a socket, and beside a pair of LPM-trie lookups.
 *
 * The machine drifts and has fast and slow states, so figures compare only
 * inside one run: each round takes every cell of the table once, in another
 * order, with another port, and ratios are those of a round. All
 * is loaded anew several times, because it matters where the kernel happens
 * to put a program. Nothing is attached, and the network namespace is its own.
 *
 * 60,000 ports are as many trie entries there. Ours has room for 16,383
 * bindings; so it is measured with all of these, ranges of three and four
 * ports, each with its own prefix node and counter, and also with the whole in
 * one range. Every binding is for one /24 or /64; all lead to one socket.
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
	MOST_SAMPLES = LOADS * ROUNDS,
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
enum { ONE, MOST = 2 };

static const unsigned char net6[8] = {0x20, 0x01, 0x0d, 0xb8};

/* One family with one number of bindings, in both designs. */
struct tables {
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

static const char *const kind_names[N_KINDS] = {
	"the same port again and again",
	"every time another port, caches warm, less the empty program",
	"every time another port, caches cold, less the empty program",
};

/* ns for each lookup */
struct samples {
	size_t n;
	double ns[MOST_SAMPLES];
};

static struct samples cells[N_FAMILIES][N_COLUMNS][N_ROWS][N_KINDS];

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

static void load(struct tables *t)
{
	t->listener = listener(t->family);
	t->ours = dispatch_bpf__open_and_load();
	if (!t->ours)
		die("bpf/dispatch.bpf.c");
	t->others = lookup_bpf__open_and_load();
	if (!t->others)
		die("tests/bench/lookup.bpf.c");
	put_socket(t->ours->maps.sockets, 1, t->listener);
	put_socket(t->others->maps.sockets, 0, t->listener);
	fill_ours(&t->ours->bss->tables, t->family, t->ports, t->bindings);
	fill_tries(bpf_map__fd(t->others->maps.bindings), t->family, t->ports);
}

static void unload(struct tables *t)
{
	close(t->listener);
	dispatch_bpf__destroy(t->ours);
	lookup_bpf__destroy(t->others);
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

/* A packet to a covered port, or to one that is not. Its address is covered and one of many. */
static void make_packet(struct bpf_sk_lookup *ctx, const struct tables *t, int hit, unsigned int n)
{
	*ctx = (struct bpf_sk_lookup){
		.family = t->family, .protocol = IPPROTO_TCP, .remote_port = htons(40000)};
	ctx->local_port = hit ? covered_port(n % t->ports, t->ports) : 60001 + n % 5000;
	if (t->family == AF_INET) {
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
static unsigned int run(const struct tables *t, enum row row, unsigned int n, int repeat)
{
	int hit = row == LEAST || row == OURS_HIT || row == TRIES_HIT;
	struct bpf_sk_lookup ctx, after = {};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &after,
		    .ctx_size_out = sizeof(after), .repeat = repeat);

	make_packet(&ctx, t, hit, n);
	if (bpf_prog_test_run_opts(program_of(t, row), &opts))
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
static double run_steady(const struct tables *t, enum row row)
{
	double start = cpu_time();

	run(t, row, random(), REPEAT);
	return (cpu_time() - start) / REPEAT;
}

static double run_changing(const struct tables *t, enum row row)
{
	double sum = 0;

	for (int i = 0; i < SINGLES; i++) {
		unsigned int ns = run(t, row, random(), 1);

		sum += ns < 2000 ? ns : 2000; /* an interrupt is not the program's */
	}
	return sum / SINGLES;
}

static void add(struct samples *s, double ns)
{
	s->ns[s->n++] = ns;
}

static void measure_steady(const struct tables *t, struct samples rows[N_ROWS][N_KINDS], int first)
{
	for (int i = 0; i < N_ROWS; i++) {
		enum row row = (first + i) % N_ROWS;

		add(&rows[row][STEADY], run_steady(t, row));
	}
}

/* The empty program's figure holds what the timing of a single lookup costs. */
static void measure_changing(const struct tables *t, struct samples rows[N_ROWS][N_KINDS])
{
	double empty = run_changing(t, EMPTY);

	for (enum row row = LEAST; row <= TRIES_MISS; row++) {
		add(&rows[row][COLD], run_changing(t, row) - empty);
		for (unsigned int n = 0; n < t->ports; n++)
			run(t, row, n, 1);
		add(&rows[row][WARM], run_changing(t, row) - empty);
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double quartile(struct samples s, int which)
{
	qsort(s.ns, s.n, sizeof(*s.ns), compare);
	return s.ns[which * (s.n - 1) / 4];
}

static void print_figures(int f, enum kind kind)
{
	printf("\nIPv%d, %s: median (quartiles) in ns\n%-26s", f ? 6 : 4, kind_names[kind], "");
	for (int n = 0; n < N_COLUMNS; n++)
		printf(" %19s", columns[n].name);
	printf("\n");
	for (int row = kind == STEADY ? EMPTY : LEAST; row < N_ROWS; row++) {
		printf("%-26s", row_names[row]);
		for (int n = 0; n < N_COLUMNS; n++) {
			const struct samples *s = &cells[f][n][row][kind];

			printf(" %7.1f (%4.0f-%4.0f)", quartile(*s, 2), quartile(*s, 1), quartile(*s, 3));
		}
		printf("\n");
	}
}

/* How a/b, round by round, stands to what was promised. Returns whether it holds. */
static int judge(int f, const char *what, const struct samples *a, const struct samples *b, double most)
{
	struct samples ratios = {.n = a->n};
	double ratio;

	for (size_t i = 0; i < a->n; i++)
		ratios.ns[i] = a->ns[i] / b->ns[i];
	ratio = quartile(ratios, 2);
	printf("IPv%d  %-40s %5.2f  at most %.2f%s\n", f ? 6 : 4, what, ratio, most,
	       ratio <= most ? "" : "  MISSED");
	return ratio <= most;
}

static int judge_all(int f)
{
	struct samples(*one)[N_KINDS] = cells[f][ONE], (*all)[N_KINDS] = cells[f][MOST];
	int good = 1;

	good &= judge(f, "hit / floor, 60,000 ports", &all[OURS_HIT][STEADY], &all[LEAST][STEADY], 1.5);
	good &= judge(f, "miss / empty, 60,000 ports", &all[OURS_MISS][STEADY], &all[EMPTY][STEADY], 1.4);
	good &= judge(f, "hit, 60,000 ports / 1 port", &all[OURS_HIT][STEADY], &one[OURS_HIT][STEADY], 1.1);
	good &= judge(f, "miss, 60,000 ports / 1 port", &all[OURS_MISS][STEADY], &one[OURS_MISS][STEADY],
		      1.1);
	good &= judge(f, "hit / two LPM lookups, 60,000 ports", &all[OURS_HIT][STEADY],
		      &all[TRIES_HIT][STEADY], 0.2);
	return good;
}

static void load_and_measure(void)
{
	struct tables tables[N_FAMILIES][N_COLUMNS];

	for (int f = 0; f < N_FAMILIES; f++) {
		for (int n = 0; n < N_COLUMNS; n++) {
			tables[f][n] = (struct tables){.family = families[f],
						       .ports = columns[n].ports,
						       .bindings = columns[n].bindings};
			load(&tables[f][n]);
		}
	}
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < N_GROUPS; i++) {
			int group = (round + i) % N_GROUPS, f = group / N_COLUMNS, n = group % N_COLUMNS;

			measure_steady(&tables[f][n], cells[f][n], round);
			if (round % SPARSE == 0)
				measure_changing(&tables[f][n], cells[f][n]);
		}
	}
	for (int f = 0; f < N_FAMILIES; f++)
		for (int n = 0; n < N_COLUMNS; n++)
			unload(&tables[f][n]);
}

int main(void)
{
	int good = 1, cpu = sched_getcpu();
	cpu_set_t set;

	/* Nothing below is attached anywhere; even so the machine's own namespace is none of our business. */
	if (unshare(CLONE_NEWNET))
		die("no network namespace of its own");
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("pinning to one CPU");
	for (int i = 0; i < LOADS; i++)
		load_and_measure();
	printf("One lookup, interleaved on CPU %d: %d rounds of %d lookups, or %d of %d where the port "
	       "changes.\n",
	       cpu, LOADS * ROUNDS, REPEAT, LOADS * ROUNDS / SPARSE, SINGLES);
	for (int f = 0; f < N_FAMILIES; f++)
		for (enum kind kind = STEADY; kind < N_KINDS; kind++)
			print_figures(f, kind);
	printf("\nThe same port again and again, median of the rounds' ratios:\n");
	for (int f = 0; f < N_FAMILIES; f++)
		good &= judge_all(f);
	return good ? 0 : 1;
}
