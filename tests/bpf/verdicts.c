// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which socket a packet gets. Each row of scenes.h is tried by PROG_TEST_RUN
 * and by a real connection over loopback, with the tables written by the
 * helper's own code, and with the rules given in either order. Each time every
 * counter of every listener must have moved by exactly what the row says.
 */
#include <bpf/bpf.h>
#include <linux/netlink.h>
#include <poll.h>

#include "helper/datapath/diag.h"
#include "tests/bpf/covered.h"
#include "tests/bpf/packets.h"
#include "tests/bpf/scenes.h"
#include "tests/bpf/world.h"

struct binding_counters {
	uint64_t lookups, misses, errors;
};

#define N_SERVERS (sizeof(servers) / sizeof(servers[0]))
#define N_SCENES  (sizeof(scenes) / sizeof(scenes[0]))
#define N_STEPS	  (sizeof(scenes[0].steps) / sizeof(scenes[0].steps[0]))

static int program;

static struct server *server_named(const char *name)
{
	for (size_t i = 0; i < N_SERVERS; i++) {
		if (strcmp(servers[i].name, name) == 0)
			return &servers[i];
	}
	return NULL;
}

static void open_server(struct server *s)
{
	union address at;

	make_address(&at, s->address, s->port);
	if (s->type == 0)
		s->type = SOCK_STREAM;
	s->fd = socket(at.any.sa_family, s->type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		die("socket");
	if (s->type == SOCK_STREAM)
		set_option(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (s->reuseport)
		set_option(s->fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (at.any.sa_family == AF_INET6)
		set_option(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, !s->dual);
	if (s->device && setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, s->device, strlen(s->device)))
		die(s->device);
	if (bind(s->fd, &at.any, sizeof(at)) || (s->type == SOCK_STREAM && listen(s->fd, 8)))
		die(s->name);
	s->cookie = cookie_of(s->fd);
}

static void close_server(struct server *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* The letter of a listener. */
static char letter_of(const struct listener *l)
{
	for (size_t i = 0; i < N_SERVERS; i++) {
		if (listener_find_cookie(l, servers[i].cookie))
			return servers[i].name[0];
	}
	return '?';
}

static struct listener *listener_of(char letter)
{
	for (size_t i = 0; i < table.n_listeners; i++) {
		if (letter_of(table.listeners[i]) == letter)
			return table.listeners[i];
	}
	return NULL;
}

static struct listener *make_listener(char letter)
{
	struct listener *l = NULL;

	for (size_t i = 0; i < N_SERVERS; i++) {
		if (servers[i].name[0] != letter)
			continue;
		if (l)
			add_member(l, servers[i].fd);
		else
			l = add_listener(servers[i].fd);
	}
	return l;
}

static void add_rule(char *text)
{
	struct listener *l = listener_of(text[0]);

	if (!l)
		l = make_listener(text[0]);
	if (strcmp(text + 2, "own") == 0)
		cover_own(l);
	else
		cover(l, text + 2);
}

static void add_rules(const char *rules, bool backwards)
{
	char text[2000], *rule[40], *rest = text;
	size_t n = 0;

	snprintf(text, sizeof(text), "%s", rules);
	while ((rule[n] = strsep(&rest, ",")) != NULL) {
		rule[n] += strspn(rule[n], " ");
		n++;
	}
	for (size_t i = 0; i < n; i++)
		add_rule(rule[backwards ? n - 1 - i : i]);
}

static void forget(char letter)
{
	for (size_t i = table.n_bindings; i-- > 0;) {
		struct binding *b = table.bindings[i], copy = *b, *gone = &copy;

		if (letter_of(b->listener) != letter)
			continue;
		table_remove_binding(&table, b);
		check(datapath_refresh(datapath, &table, &copy.rule), "tables");
		datapath_remove_bindings(datapath, &gone, 1);
	}
}

static void restart(void)
{
	struct stat st;

	if (fstat(here, &st) < 0)
		die("namespace");
	datapath_close(datapath);
	table_clear(&table);
	table = (struct table){0};
	check(datapath_adopt(&datapath, pins, st.st_ino, &table), "taking over");
}

static void happen(const char *what)
{
	const char *name = strrchr(what, ' ');
	struct server *s = name ? server_named(name + 1) : NULL;
	union address peer;

	if (strcmp(what, "restart") == 0) {
		restart();
	} else if (strncmp(what, "forget ", 7) == 0) {
		forget(what[7]);
	} else if (!s) {
		die(what);
	} else if (what[0] == 'l') {
		if (listen(s->fd, 8))
			die(what);
	} else if (what[0] == 's') {
		if (shutdown(s->fd, SHUT_RDWR))
			die(what);
	} else if (strncmp(what, "connect", 7) == 0) {
		make_address(&peer, "127.0.0.9", 9);
		if (connect(s->fd, &peer.any, sizeof(peer)))
			die(what);
	} else {
		close_server(s);
	}
}

/* Sums over a listener's bindings, by its letter. */
struct counts {
	struct binding_counters of[128];
};

static void count(struct counts *out)
{
	struct datapath_events *events = datapath_read_events(datapath);

	*out = (struct counts){0};
	for (size_t i = 0; events && i < table.n_bindings; i++) {
		const struct binding *b = table.bindings[i];
		struct binding_counters *sum = &out->of[(unsigned char)letter_of(b->listener)];

		sum->lookups += datapath_lookups(datapath, b);
		sum->misses += events[b->index].misses;
		sum->errors += events[b->index].errors;
	}
	free(events);
}

/* Did the counters move as they should in `times` lookups? */
static bool counted(const struct counts *before, const struct step *step, unsigned int times)
{
	struct counts after;
	bool good = true;

	count(&after);
	for (unsigned char l = 'A'; l <= 'Z'; l++) {
		const struct binding_counters *b = &before->of[l], *a = &after.of[l];
		bool missed = l == step->missed, failed = l == step->failed;
		bool hit = l == step->gets[0] || missed || failed;

		if (a->lookups - b->lookups == hit * times && a->misses - b->misses == missed * times &&
		    a->errors - b->errors == failed * times)
			continue;
		printf("# %c: %d lookups, %d misses, %d errors more\n", l, (int)(a->lookups - b->lookups),
		       (int)(a->misses - b->misses), (int)(a->errors - b->errors));
		good = false;
	}
	return good;
}

/* Is this whom the row means? NULL stands for nobody. */
static bool expected(const struct step *step, const struct server *got)
{
	const char *whom = step->gets[0] == '-' ? step->gets + 1 : step->gets;

	if (!got)
		return whom[0] == '\0';
	return strcmp(got->name, whom) == 0 || (whom[0] && !whom[1] && whom[0] == got->name[0]);
}

/* Is the rule of this row one of a listener that is bound to a device? PROG_TEST_RUN's packets arrive on
 * none. */
static bool on_device(const struct step *step)
{
	const char letter[] = {step->missed ? step->missed : step->gets[0], '\0'};
	const struct server *s = server_named(letter);

	return s && s->device;
}

static bool try_program(const struct step *step, const struct packet *p)
{
	struct bpf_sk_lookup ctx = {.protocol = p->type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP},
			     out = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &out,
		    .ctx_size_out = sizeof(out));
	const struct server *got = NULL;
	int err;

	if (p->to.any.sa_family == AF_INET) {
		ctx.family = AF_INET;
		ctx.local_ip4 = p->to.v4.sin_addr.s_addr;
		ctx.local_port = ntohs(p->to.v4.sin_port);
	} else if (IN6_IS_ADDR_V4MAPPED(&p->to.v6.sin6_addr)) {
		ctx.family = AF_INET; /* what travels is IPv4 */
		memcpy(&ctx.local_ip4, &p->to.v6.sin6_addr.s6_addr[12], 4);
		ctx.local_port = ntohs(p->to.v6.sin6_port);
	} else {
		ctx.family = AF_INET6;
		memcpy(ctx.local_ip6, &p->to.v6.sin6_addr, 16);
		ctx.local_port = ntohs(p->to.v6.sin6_port);
	}
	err = bpf_prog_test_run_opts(program, &run);
	if (err == -EOPNOTSUPP && step->gets[0] == 'R') /* what the kernel says to a SO_REUSEPORT socket */
		return true;
	if (err || run.retval != SK_PASS) {
		printf("# PROG_TEST_RUN: %d, verdict %u\n", err, run.retval);
		return false;
	}
	if (on_device(step))
		return out.cookie == 0;
	for (size_t i = 0; i < N_SERVERS; i++) {
		if (out.cookie && out.cookie == servers[i].cookie)
			got = &servers[i];
	}
	/* whom the ordinary lookup would find is not for this program to say */
	if (step->gets[0] == '-' ? out.cookie == 0 : expected(step, got))
		return true;
	printf("# PROG_TEST_RUN: cookie %llu (%s)\n", (unsigned long long)out.cookie, got ? got->name : "-");
	return false;
}

/* The server that has something waiting for it, or NULL. */
static struct server *wait_server(int ms)
{
	struct pollfd wait[N_SERVERS];

	for (size_t i = 0; i < N_SERVERS; i++)
		wait[i] = (struct pollfd){.fd = servers[i].fd, .events = POLLIN};
	poll(wait, N_SERVERS, ms);
	for (size_t i = 0; i < N_SERVERS; i++) {
		if (wait[i].revents & POLLIN)
			return &servers[i];
	}
	return NULL;
}

/* Does the accepted connection show the address that the client used? */
static bool shows_destination(struct server *s, const union address *to)
{
	unsigned char want[18], have[18];
	union address local;
	socklen_t length = sizeof(local);
	int fd = accept(s->fd, NULL, NULL);

	if (fd < 0 || getsockname(fd, &local.any, &length))
		die("accept");
	close(fd);
	normalize(to, want);
	normalize(&local, have);
	if (memcmp(want, have, sizeof(want)) == 0)
		return true;
	printf("# %s: getsockname() tells another address\n", s->name);
	return false;
}

static bool try_connection(const struct step *step, const struct packet *p)
{
	int fd = client(p), err;
	struct server *got = NULL;
	bool good;

	err = connect(fd, &p->to.any, sizeof(p->to)) ? errno : 0;
	if (!err && p->type == SOCK_DGRAM && send(fd, "?", 1, 0) != 1)
		err = errno;
	if (!err)
		got = wait_server(p->type == SOCK_STREAM ? 2000 : step->gets[0] == '-' ? 50 : 2000);
	good = expected(step, got) && (got || p->type == SOCK_DGRAM || err == ECONNREFUSED);
	if (!good)
		printf("# connection: %s gets it%s%s\n", got ? got->name : "nobody", err ? ", " : "",
		       err ? strerror(err) : "");
	if (got && p->type == SOCK_STREAM)
		good &= shows_destination(got, &p->to);
	else if (got)
		recv(got->fd, &err, 1, 0);
	close(fd);
	return good;
}

static void try_step(const struct scene *scene, const struct step *step, bool backwards)
{
	struct counts before;
	struct packet p;
	bool good;

	read_packet(&p, step->to);
	count(&before);
	good = try_program(step, &p);
	good &= try_connection(step, &p);
	good &= counted(&before, step, on_device(step) ? 1 : 2);
	ok(good, "%s: %s -> %s%s", scene->name, step->to,
	   strcmp(step->gets, "-") == 0 ? "nobody" : step->gets, backwards ? " (rules backwards)" : "");
}

static void look(void)
{
	int diag = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct holder *holders;
	size_t n;

	check(diag_holders(diag, false, false, &holders, &n), "list of sockets");
	table_set_holders(&table, holders, n, NULL, NULL);
	close(diag);
}

/* Has any of these rules a listener that is bound to a device? */
static bool names_device(const char *rules)
{
	for (size_t i = 0; i < N_SERVERS; i++) {
		char rule[32];

		snprintf(rule, sizeof(rule), ", %s ", servers[i].name);
		if (servers[i].device &&
		    (strstr(rules, rule) || strncmp(rules, rule + 2, strlen(rule + 2)) == 0))
			return true;
	}
	return false;
}

static void play(const struct scene *scene, bool backwards)
{
	char path[4200];

	start_datapath();
	if (!datapath_knows_devices(datapath) && names_device(scene->rules)) {
		ok(true, "%s%s # SKIP Linux before 5.17 does not tell the device", scene->name,
		   backwards ? " (rules backwards)" : "");
		stop_datapath();
		return;
	}
	snprintf(path, sizeof(path), "%s/dispatch", pins);
	program = bpf_obj_get(path);
	for (size_t i = 0; i < N_SERVERS; i++)
		open_server(&servers[i]);
	if (scene->look)
		look();
	add_rules(scene->rules, backwards);

	for (size_t i = 0; i < N_STEPS && (scene->steps[i].happens || scene->steps[i].to); i++) {
		if (scene->steps[i].happens)
			happen(scene->steps[i].happens);
		else
			try_step(scene, &scene->steps[i], backwards);
	}

	for (size_t i = 0; i < N_SERVERS; i++)
		close_server(&servers[i]);
	close(program);
	stop_datapath();
}

int main(void)
{
	enter_world();
	make_networks();
	choose_pins();
	for (size_t i = 0; i < N_SCENES; i++) {
		play(&scenes[i], false);
		play(&scenes[i], true);
	}
	return finish();
}
