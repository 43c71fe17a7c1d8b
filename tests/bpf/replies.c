// SPDX-License-Identifier: BSD-2-Clause
/*
 * UDP answers come from where they were asked for: real sockets, over loopback
 * and from another namespace. The clients are connected, so the kernel gives
 * them nothing that comes from elsewhere. reply-packets.c looks at the bytes.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/pkt_cls.h>
#include <linux/sockios.h>
#include <stddef.h>

#include "tests/bpf/answers.h"
#include "tests/bpf/covered.h"
#include "tests/bpf/filters.h"
#include "tests/bpf/packets.h"
#include "tests/bpf/world.h"

#define PRIORITY 10 /* of the reply program among the filters of an interface */

static struct server {
	const char *address;
	uint16_t port;
	bool dual;
	const char *rules;
	int fd;
	struct listener *listener;
} servers[] = {
	{.address = "0.0.0.0", .port = 5353, .rules = "127.0.0.0/8:77-78/udp, 192.0.0.0/4:77/udp"},
	{.address = "198.51.100.1",
	 .port = 5354,
	 .rules = "0.0.0.0/0:79/udp, 127.0.0.0/8:5354/udp, 192.0.2.0/24:5354/udp"},
	{.address = "::", .port = 5355, .rules = "[::]/0:80/udp"},
	{.address = "fd00:5::1", .port = 5356, .rules = "[::]/0:81/udp, [2001:db8::/32]:5356/udp"},
	{.address = "::", .port = 5357, .dual = true, .rules = "[::]/0:82/udp, 0.0.0.0/0:82/udp"},
	{.address = "::ffff:198.51.100.1", .port = 5358, .dual = true, .rules = "0.0.0.0/0:83/udp"},
};

#define N_SERVERS (sizeof(servers) / sizeof(servers[0]))

/* Where a client asks, and which server answers. */
static const struct row {
	uint16_t server;
	const char *at; /* as in packets.h */
} rows[] = {
	{5353, "127.9.8.7:77/udp"},
	{5353, "127.0.0.1:77/udp"},
	{5353, "127.0.0.1:5353/udp"},
	{5353, "198.51.100.1:77/udp%far"},
	{5353, "198.51.100.1:5353/udp%far"},
	{5353, "192.0.2.9:77/udp%far"},
	{5353, "203.0.113.1:77/udp%far"},  /* through a macvlan on the veth */
	{5353, "203.0.113.65:77/udp%far"}, /* through a tunnel in UDP */
	{5354, "127.9.8.7:79/udp"},
	{5354, "127.9.8.7:5354/udp"},
	{5354, "198.51.100.1:79/udp%far"},
	{5354, "192.0.2.9:79/udp%far"},
	{5354, "192.0.2.9:5354/udp%far"},
	{5354, "198.51.100.1:5354/udp%far"},
	{5355, "[::1]:80/udp"},
	{5355, "[::1]:5355/udp"},
	{5355, "[2001:db8::5]:80/udp"},
	{5355, "[fd00:5::1]:80/udp%far"},
	{5355, "[2001:db8::5]:80/udp%far"},
	{5356, "[::1]:81/udp"},
	{5356, "[2001:db8::5]:5356/udp%far"},
	{5356, "[2001:db8::5]:81/udp%far"},
	{5357, "127.9.8.7:82/udp"},
	{5357, "[2001:db8::5]:82/udp"},
	{5357, "[::ffff:127.9.8.7]:82/udp"},
	{5357, "192.0.2.9:82/udp%far"},
	{5357, "198.51.100.1:5357/udp%far"},
	{5357, "[2001:db8::5]:82/udp%far"},
	{5358, "127.9.8.7:83/udp"},
	{5358, "192.0.2.9:83/udp%far"},
};

static const size_t sizes[] = {0, 1, 1452, 1453, 1472, 1473, 9000, MOST_BYTES};

#define N_ROWS	(sizeof(rows) / sizeof(rows[0]))
#define N_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static int reply; /* the program */

static struct server *server_of(uint16_t port)
{
	size_t i = 0;

	while (servers[i].port != port)
		i++;
	return &servers[i];
}

static int server_at(uint16_t port)
{
	return server_of(port)->fd;
}

static void start_server(struct server *s)
{
	char text[200], *rest = text, *rule;

	s->fd = udp_bound(s->address, s->port, s->dual);
	s->listener = add_listener(s->fd);
	cover_own(s->listener);
	snprintf(text, sizeof(text), "%s", s->rules);
	while ((rule = strsep(&rest, ",")) != NULL)
		cover(s->listener, rule + strspn(rule, " "));
}

/* As a program does that has connected its socket to a client: it binds a new one. */
static void succeed(struct server *s)
{
	close(s->fd);
	s->fd = udp_bound(s->address, s->port, s->dual);
	s->listener->members[0].dead = true;
	add_member(s->listener, s->fd);
}

/* Does the kernel put checksums and segments off, to the other end or for ever? */
static void set_offload(bool on)
{
	const uint32_t what[] = {ETHTOOL_STXCSUM, ETHTOOL_SGSO};
	struct ifreq request = {.ifr_name = "skl0"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	for (size_t i = 0; i < 2; i++) {
		struct ethtool_value value = {what[i], on};

		request.ifr_data = (void *)&value;
		if (ioctl(fd, SIOCETHTOOL, &request))
			die("ethtool");
	}
	close(fd);
}

/* Before Linux 6.11 nothing is cut into segments where the device sums nothing: EIO, ours or not. */
static bool cuts_without_offload(void)
{
	const int segment = SEGMENT;
	union address to;
	bool cuts;
	int fd;

	set_offload(false);
	make_address(&to, "198.51.100.2", 9);
	fd = udp_connected(here, &to);
	setsockopt(fd, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	cuts = send(fd, question, 2 * SEGMENT, 0) > 0 || errno != EIO;
	close(fd);
	return cuts;
}

static bool all_sizes(int fd, struct server *s, enum how how)
{
	bool good = true;

	for (size_t i = 0; good && i < N_SIZES; i++) {
		if (how == SEGMENTED && (sizes[i] > 64 * SEGMENT || sizes[i] <= SEGMENT))
			continue;
		good = exchange(fd, s->fd, how, sizes[i]);
		if (how == CONNECTED)
			succeed(s);
		if (!good)
			printf("# with %zu bytes\n", sizes[i]);
	}
	return good;
}

static void try_row(const struct row *row, enum how how, bool offload)
{
	struct packet p;
	bool good, refused;
	int fd;

	read_packet(&p, row->at);
	if (!p.from_far && !offload) /* loopback always does */
		return;
	fd = udp_connected(p.from_far ? far : here, &p.to);
	good = all_sizes(fd, server_of(row->server), how);
	refused = !good && how == SEGMENTED && !offload && !cuts_without_offload();
	ok(good || refused, "asked at %s, %s%s%s", row->at, how_names[how],
	   offload ? "" : ", without offload",
	   refused ? " # SKIP Linux before 6.11 refuses this of any socket" : "");
	close(fd);
}

/* A client that is not connected tells whom it hears. */
static bool hears(int fd, const char *address, uint16_t port)
{
	unsigned char want[18], have[18];
	union address wanted, from;
	socklen_t length = sizeof(from);
	char text[INET6_ADDRSTRLEN] = "?";

	make_address(&wanted, address, port);
	if (recvfrom(fd, received, sizeof(received), 0, &from.any, &length) < 0) {
		printf("# nothing comes: %s\n", strerror(errno));
		return false;
	}
	normalize(&wanted, want);
	normalize(&from, have);
	if (memcmp(want, have, sizeof(want)) == 0)
		return true;
	inet_ntop(AF_INET6, have, text, sizeof(text));
	printf("# it comes from %s, port %d\n", text, have[16] << 8 | have[17]);
	return false;
}

static void ask(int fd, const char *address, uint16_t port)
{
	union address to;

	make_address(&to, address, port);
	if (sendto(fd, "?", 1, 0, &to.any, length_of(&to)) != 1)
		die("sendto");
}

/* Takes one question; returns who asked. */
static union address asked(int server)
{
	union address from = {0};
	socklen_t length = sizeof(from);

	if (recvfrom(server, received, sizeof(received), 0, &from.any, &length) != 1)
		die("no question");
	return from;
}

static void answer_to(int server, const union address *to)
{
	if (sendto(server, "!", 1, 0, &to->any, length_of(to)) != 1)
		die("no answer");
}

static bool heard_from(int fd, int server, const char *address, uint16_t port, const char *source,
		       uint16_t source_port)
{
	union address from;

	ask(fd, address, port);
	from = asked(server);
	answer_to(server, &from);
	return hears(fd, source, source_port);
}

static bool asked_at(int fd, int server, const char *address, uint16_t port)
{
	return heard_from(fd, server, address, port, address, port);
}

static void without_memory(void)
{
	int fd = udp_socket(here, AF_INET), server = server_at(5353);

	ok(heard_from(fd, server, "127.9.8.7", 77, "127.0.0.1", 5353),
	   "without memory of flows a packet is steered, and its answer comes from the socket's own port");
	close(fd);
}

static void one_client(void)
{
	static const char *const v4[] = {"127.9.8.7", "127.9.8.8", "127.0.0.1"}, *const v6[] = {
											 "2001:db8::5",
											 "2001:db8::6",
											 "2001:db8:0:0:1::6",
											 "2001:db8:0:1:1::6",
											 "2001:db9:0:1:1::6"};
	int fd = udp_socket(here, AF_INET), fd6 = udp_socket(here, AF_INET6);
	bool good = true;

	for (uint16_t i = 0; i < 20; i++)
		good &= asked_at(fd, server_at(5353), v4[i % 3], 77 + i % 2);
	ok(good, "a client that uses several ports and addresses in turn gets each answer from there");
	for (uint16_t i = 0; i < 20; i++)
		good &= asked_at(fd6, server_at(5357), v6[i % 5], 82);
	ok(good, "IPv6");
	close(fd);
	close(fd6);
}

static void own_port(void)
{
	int fd = udp_socket(here, AF_INET), v6 = udp_socket(here, AF_INET6);

	ok(asked_at(fd, server_at(5353), "127.9.8.7", 77) &&
		   asked_at(fd, server_at(5353), "127.0.0.1", 5353) &&
		   asked_at(fd, server_at(5353), "127.0.0.1", 5353),
	   "a client that changes to the socket's own port gets its answers from there");
	ok(asked_at(fd, server_at(5353), "127.9.8.7", 78), "and when it changes back, too");
	ok(asked_at(fd, server_at(5354), "127.9.8.7", 5354) &&
		   asked_at(fd, server_at(5354), "198.51.100.1", 5354),
	   "as one that changes to the socket's own address");
	ok(asked_at(v6, server_at(5355), "::1", 80) && asked_at(v6, server_at(5355), "::1", 5355), "IPv6");
	ok(asked_at(v6, server_at(5357), "::ffff:127.9.8.7", 82) &&
		   asked_at(v6, server_at(5357), "::ffff:127.0.0.1", 5357),
	   "IPv4 at a socket of IPv6");
	close(fd);
	close(v6);
}

static void two_clients(void)
{
	int server = server_at(5357), a = udp_socket(here, AF_INET), b = udp_socket(far, AF_INET6),
	    c = udp_socket(here, AF_INET);
	union address from[3];

	ask(a, "127.9.8.7", 82);
	ask(b, "2001:db8::5", 82);
	ask(c, "127.0.0.1", 5357);
	for (int i = 0; i < 3; i++)
		from[i] = asked(server);
	for (int i = 2; i >= 0; i--)
		answer_to(server, &from[i]);
	ok(hears(a, "127.9.8.7", 82) && hears(b, "2001:db8::5", 82) && hears(c, "127.0.0.1", 5357),
	   "clients at the same time get each their answer");
	answer_to(server, &from[0]);
	answer_to(server, &from[0]);
	ok(hears(a, "127.9.8.7", 82) && hears(a, "127.9.8.7", 82),
	   "and further answers, also long after the question");
	close(a);
	close(b);
	close(c);
}

/* Sockets that are not covered, but answer a client who is remembered. */
static void strangers(void)
{
	int fd = udp_socket(here, AF_INET), other = udp_bound("127.0.0.1", 6000, false);
	int specific = udp_socket(here, AF_INET), one = 1;
	union address at, from;

	ok(asked_at(fd, server_at(5353), "127.9.8.7", 77) && asked_at(fd, other, "127.0.0.1", 6000),
	   "a socket that is not covered answers from its own port");

	setsockopt(server_at(5353), SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(specific, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	make_address(&at, "127.0.0.3", 5353);
	if (bind(specific, &at.any, length_of(&at)))
		die("bind");
	ask(fd, "127.9.8.7", 77);
	from = asked(server_at(5353));
	answer_to(specific, &from);
	ok(hears(fd, "127.0.0.3", 5353),
	   "and so does one that has the port of a covered socket, but on an address of its own");
	close(specific);
	close(other);
	close(fd);
}

/* That the client has gone, the server learns as without us. */
static void errors(void)
{
	int fd = udp_socket(here, AF_INET), server = server_at(5353), one = 1;
	struct sock_extended_err error;
	struct sockaddr_in gone;
	union address from;

	setsockopt(server, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	ask(fd, "127.9.8.7", 77);
	from = asked(server);
	close(fd);
	answer_to(server, &from);
	ok(take_error(server, &error, &gone) == 1 && error.ee_errno == ECONNREFUSED &&
		   error.ee_origin == SO_EE_ORIGIN_ICMP && gone.sin_port == from.v4.sin_port &&
		   gone.sin_addr.s_addr == from.v4.sin_addr.s_addr,
	   "MSG_ERRQUEUE tells that a client is gone, and which");
	one = 0;
	setsockopt(server, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	getsockopt(server, SOL_SOCKET, SO_ERROR, &one, &(socklen_t){sizeof(one)});
}

/* On ingress: what comes from port 5353 leaves by this device at once, still with the socket that sent it. */
static void redirect(const char *from, const char *to)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1},
		{.code = BPF_LD | BPF_ABS | BPF_H, .imm = 14 + 20},
		{.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 0, .imm = 5353, .off = 4},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = (int)if_nametoindex(to)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect},
		{.code = BPF_JMP | BPF_EXIT},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = TC_ACT_UNSPEC},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(from), .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .priority = 1, .handle = 1);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "redirect", "GPL", code,
			       sizeof(code) / sizeof(code[0]), NULL);

	opts.prog_fd = fd;
	check(fd < 0 ? fd : bpf_tc_attach(&hook, &opts), "redirect");
	close(fd);
}

/*
 * What comes from another namespace may still have its socket. Here that one is
 * bound as a covered socket is, and the client is a client of both.
 */
static void redirected(void)
{
	const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(5353)};
	int server = udp_socket(far, AF_INET), third, fd;

	if (unshare(CLONE_NEWNET))
		die("third namespace");
	third = this_netns();
	run_ip("ip link add b1 type veth peer name b0 netns $here; ip link set b1 up;"
	       "ip address add 203.0.113.131/26 dev b1");
	if (setns(far, CLONE_NEWNET))
		die("far namespace");
	run_ip("ip link add a1 type veth peer name a0 netns $here; ip link set a1 up;"
	       "ip address add 203.0.113.130/26 dev a1");
	if (setns(here, CLONE_NEWNET))
		die("namespace");
	run_ip("ip link add br0 type bridge; ip link set a0 master br0 up; ip link set b0 master br0 up;"
	       "ip address add 203.0.113.129/26 dev br0; ip link set br0 up");
	attach("br0", reply, PRIORITY);
	attach("a0", reply, PRIORITY);
	attach("b0", reply, PRIORITY);
	fd = udp_socket(third, AF_INET);
	if (bind(server, (const struct sockaddr *)&any, sizeof(any)))
		die("bind");
	ok(asked_at(fd, server_at(5353), "203.0.113.129", 77), "an answer through a bridge");
	ok(asked_at(fd, server, "203.0.113.130", 5353),
	   "a bridged answer of another namespace's stays as it is");
	redirect("a0", "b0");
	ok(asked_at(fd, server, "203.0.113.130", 5353), "so does one that is redirected");
	close(fd);
	close(server);
	close(third);
}

/* A filter that counts the packets whose two bytes at `offset` are these, and says `verdict`. */
static int load_filter(int counter, uint32_t offset, uint16_t bytes, int verdict)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1},
		{.code = BPF_LD | BPF_ABS | BPF_H, .imm = (int)offset},
		{.code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = 0, .imm = bytes, .off = 11},
		{.code = BPF_ST | BPF_MEM | BPF_W, .dst_reg = 10, .off = -4, .imm = 0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4},
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = 1,
		 .src_reg = BPF_PSEUDO_MAP_FD,
		 .imm = counter},
		{0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .imm = 0, .off = 2},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 1, .imm = 1},
		{.code = BPF_STX | BPF_ATOMIC | BPF_DW, .dst_reg = 0, .src_reg = 1, .imm = BPF_ADD},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = verdict},
		{.code = BPF_JMP | BPF_EXIT},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = TC_ACT_UNSPEC},
		{.code = BPF_JMP | BPF_EXIT},
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "filter", "GPL", code, sizeof(code) / sizeof(code[0]),
			       NULL);

	if (fd < 0)
		die("loading a filter");
	return fd;
}

static uint64_t counted(int counter)
{
	uint32_t zero = 0;
	uint64_t value = 0;

	bpf_map_lookup_elem(counter, &zero, &value);
	return value;
}

static void other_filters(void)
{
	const uint32_t source_port = 14 + 20;
	int before_count = bpf_map_create(BPF_MAP_TYPE_ARRAY, "before", 4, 8, 1, NULL),
	    after_count = bpf_map_create(BPF_MAP_TYPE_ARRAY, "after", 4, 8, 1, NULL);
	int before = load_filter(before_count, source_port, 5353, TC_ACT_UNSPEC),
	    after = load_filter(after_count, source_port, 77, TC_ACT_UNSPEC),
	    drop = load_filter(after_count, source_port, 78, TC_ACT_SHOT), fd = udp_socket(here, AF_INET),
	    server = server_at(5353);
	const struct timeval soon = {.tv_usec = 50000};
	union address from;

	attach("lo", before, PRIORITY - 1);
	attach("lo", after, PRIORITY + 1);
	ok(asked_at(fd, server, "127.9.8.7", 77) && counted(before_count) == 1 && counted(after_count) == 1,
	   "a filter in front sees the socket's own port, one behind sees where the client asked");
	ok(asked_at(fd, server, "127.0.0.1", 5353) && counted(before_count) == 2 && counted(after_count) == 1,
	   "and what is not ours");
	detach("lo", PRIORITY + 1);
	attach("lo", drop, PRIORITY + 1);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	ask(fd, "127.9.8.7", 78);
	from = asked(server);
	sendto(server, "!", 1, 0, &from.any, sizeof(from.v4));
	ok(recv(fd, received, 1, 0) < 0 && counted(after_count) == 2,
	   "a filter behind still decides what becomes of an answer");
	detach("lo", PRIORITY + 1);
	detach("lo", PRIORITY);
	ok(heard_from(fd, server, "127.9.8.7", 77, "127.0.0.1", 5353) && counted(before_count) == 4,
	   "when ours is taken away, others stay");
	attach("lo", reply, PRIORITY);
	detach("lo", PRIORITY - 1);
	ok(asked_at(fd, server, "127.9.8.7", 77), "and ours when others are");
	close(fd);
	close(before);
	close(after);
	close(drop);
	close(before_count);
	close(after_count);
}

static unsigned int count_keys(int map)
{
	char key[64], *previous = NULL, next[64];
	unsigned int n = 0;

	while (n < 2 * SKL_FLOWS && bpf_map_get_next_key(map, previous, next) == 0) {
		memcpy(key, next, sizeof(key));
		previous = key;
		n++;
	}
	return n;
}

static int flows(void)
{
	uint32_t zero = 0, id;

	if (bpf_map_lookup_elem(datapath->flows, &zero, &id))
		die("flows");
	return bpf_map_get_fd_by_id(id);
}

static bool ask_as(uint32_t address, uint16_t port)
{
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = udp_socket(here, AF_INET);
	bool good;

	from.sin_addr.s_addr = htonl(address);
	good = bind(fd, (struct sockaddr *)&from, sizeof(from)) == 0 &&
	       asked_at(fd, server_at(5353), "127.9.8.7", (uint16_t)(77 + port % 2));
	close(fd);
	return good;
}

static void many_clients(void)
{
	const uint32_t clients = 70000, base = 0x7f010000; /* 127.1.0.0 */
	int map = flows();
	bool good = true;
	unsigned int n;

	for (uint32_t i = 0; good && i < clients; i++)
		good = ask_as(base + i / 7, (uint16_t)(20000 + i % 7));
	n = count_keys(map);
	ok(good && n > SKL_FLOWS / 2 && n <= SKL_FLOWS,
	   "70,000 clients get their answers, and no more than %d are remembered", SKL_FLOWS);
	for (uint32_t i = 0; good && i < clients; i += 97)
		good = ask_as(base + i / 7, (uint16_t)(20000 + i % 7));
	ok(good, "those forgotten are remembered when they ask again");
	close(map);
}

/* Nothing of a datagram in fragments stays: its number will come again. */
static void fragments_forgotten(void)
{
	int map = map_of(reply, "fragments");

	ok(count_keys(map) == 0, "when a datagram is out, its fragments are forgotten");
	close(map);
}

static void members(void)
{
	int a = udp_socket(here, AF_INET), b = udp_socket(here, AF_INET), one = 1, got = 0,
	    fd = udp_socket(here, AF_INET);
	struct listener *l;
	union address at;
	bool good = true;
	char rule[] = "127.0.0.0/8:84/udp";

	make_address(&at, "127.0.0.1", 5360);
	setsockopt(a, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	setsockopt(b, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	if (bind(a, &at.any, sizeof(at.v4)) || bind(b, &at.any, sizeof(at.v4)))
		die("bind");
	l = add_listener(a);
	add_member(l, b);
	cover_own(l);
	cover(l, rule);
	for (int i = 0; i < 40; i++) {
		int client_fd = udp_socket(here, AF_INET);
		union address from;
		socklen_t length = sizeof(from);

		ask(client_fd, "127.9.8.7", 84);
		if (recvfrom(a, received, 1, MSG_DONTWAIT, &from.any, &length) != 1)
			from = asked(b);
		else
			got++;
		answer_to(i % 2 ? a : b, &from);
		good &= hears(client_fd, "127.9.8.7", 84);
		close(client_fd);
	}
	ok(good && got > 0 && got < 40,
	   "the members of a SO_REUSEPORT group get packets, and whichever answers, the source is right");
	close(a);
	ok(asked_at(fd, b, "127.9.8.7", 84) && asked_at(fd, b, "127.0.0.1", 5360) &&
		   asked_at(fd, b, "127.0.0.1", 84),
	   "when the first member is closed, the next one's answers are right");
	close(b);
	close(fd);
}

/* Two ways more to the far namespace, on which a packet leaves by one device and then by another. */
static void make_more_networks(void)
{
	run_ip("ip -6 address add fd00:5::1/64 dev skl0 nodad;"
	       "ip link add link skl0 name mac0 type macvlan mode bridge;"
	       "ip link add vx0 type vxlan id 5 dev skl0 local 198.51.100.1 remote 198.51.100.2 dstport 4789;"
	       "ip address add 203.0.113.1/26 dev mac0; ip address add 203.0.113.65/26 dev vx0;"
	       "ip link set mac0 up; ip link set vx0 up");
	run_ip("ip -6 route add local 2001:db9::/32 dev lo");
	if (setns(far, CLONE_NEWNET))
		die("far namespace");
	run_ip("ip -6 address add fd00:5::2/64 dev skl1 nodad; ip -6 route add 2001:db8::/32 via fd00:5::1;"
	       "ip link add vx1 type vxlan id 5 dev skl1 local 198.51.100.2 remote 198.51.100.1 dstport 4789;"
	       "ip address add 203.0.113.2/26 dev skl1; ip address add 203.0.113.66/26 dev vx1;"
	       "ip link set vx1 up");
	if (setns(here, CLONE_NEWNET))
		die("namespace");
}

int main(void)
{
	enter_world();
	make_networks();
	make_more_networks();
	choose_pins();
	start_datapath();
	fill_payloads();
	for (size_t i = 0; i < N_SERVERS; i++)
		start_server(&servers[i]);

	without_memory();
	reply = datapath_start_replies(datapath);
	check(reply < 0 ? reply : 0, "reply program");
	attach("lo", reply, PRIORITY);
	attach("skl0", reply, PRIORITY);
	attach("mac0", reply, PRIORITY);
	attach("vx0", reply, PRIORITY);
	for (int offload = 1; offload >= 0; offload--) {
		set_offload(offload);
		for (size_t i = 0; i < N_ROWS; i++)
			for (enum how how = 0; how < N_HOWS; how++)
				try_row(&rows[i], how, offload);
	}
	set_offload(true);
	fragments_forgotten();
	one_client();
	own_port();
	two_clients();
	strangers();
	redirected();
	errors();
	members();
	other_filters();
	many_clients();
	return finish();
}
