// SPDX-License-Identifier: BSD-2-Clause
/* What we rely on and did not make: how this kernel's SOCKMAP, sk_lookup and listening sockets behave. */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "tests/bpf/errqueue.h"
#include "tests/bpf/world.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define MOST_PROGRAMS 64 /* in one network namespace */

static int map, netns;

static int new_socket(int type, int protocol)
{
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol);

	if (fd < 0)
		die("socket");
	return fd;
}

static int bound(int type, int protocol)
{
	const struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = new_socket(type, protocol);

	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		die("bind");
	return fd;
}

static int listening(int protocol)
{
	int fd = bound(SOCK_STREAM, protocol);

	if (listen(fd, 8))
		die("listen");
	return fd;
}

static struct sockaddr_in address_of(int fd)
{
	struct sockaddr_in a;
	socklen_t length = sizeof(a);

	if (getsockname(fd, (struct sockaddr *)&a, &length))
		die("getsockname");
	return a;
}

static uint64_t cookie_of(int fd)
{
	uint64_t cookie;
	socklen_t length = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &length))
		die("SO_COOKIE");
	return cookie;
}

static int put(uint32_t slot, int fd)
{
	uint64_t value = (uint32_t)fd;

	return bpf_map_update_elem(map, &slot, &value, BPF_NOEXIST);
}

static void take_out(uint32_t slot)
{
	bpf_map_delete_elem(map, &slot);
}

/* What user space sees in a slot: a cookie, or -errno. */
static int64_t seen(uint32_t slot)
{
	uint64_t cookie;
	int err = bpf_map_lookup_elem(map, &slot, &cookie);

	return err ? err : (int64_t)cookie;
}

/*
 * A program that picks the socket whose slot is the number in this field of
 * its context. With a field of -1 it picks none. Returns a negative number where
 * the kernel has no such field.
 */
static int load_program(int field)
{
	const struct bpf_insn pick[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 6, .src_reg = 1},
		{.code = BPF_LDX | BPF_W | BPF_MEM, .dst_reg = 2, .src_reg = 6, .off = (int16_t)field},
		{.code = BPF_STX | BPF_W | BPF_MEM, .dst_reg = 10, .src_reg = 2, .off = -4},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 10},
		{.code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = 2, .imm = -4},
		{.code = BPF_LD | BPF_DW | BPF_IMM, .dst_reg = 1, .src_reg = BPF_PSEUDO_MAP_FD, .imm = map},
		{0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_map_lookup_elem},
		{.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = 0, .imm = 0, .off = 7},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 7, .src_reg = 0},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 6},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 2, .src_reg = 7},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 3, .imm = 0},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_sk_assign},
		{.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = 1, .src_reg = 7},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_sk_release},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 0, .imm = SK_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	const size_t n = sizeof(pick) / sizeof(pick[0]);
	const struct bpf_insn *begin = field < 0 ? &pick[n - 2] : pick;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_SK_LOOKUP);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SK_LOOKUP, "facts", "GPL", begin, n - (size_t)(begin - pick),
			       &opts);

	if (fd < 0 && field != offsetof(struct bpf_sk_lookup, ingress_ifindex))
		die("loading a program");
	return fd;
}

static int attach(int program)
{
	return bpf_link_create(program, netns, BPF_SK_LOOKUP, NULL);
}

/* What PROG_TEST_RUN says about a packet for this local port: the cookie of the socket picked, or -errno. */
static int64_t test_run(int program, uint32_t port)
{
	struct bpf_sk_lookup ctx = {.family = AF_INET, .protocol = IPPROTO_TCP, .local_port = port},
			     out = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &out,
		    .ctx_size_out = sizeof(out));
	int err = bpf_prog_test_run_opts(program, &run);

	return err ? err : (int64_t)out.cookie;
}

/* Connects to 127.0.0.9 at this port. Returns the client or -errno. */
static int dial(uint16_t port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)};
	const struct timeval patience = {.tv_sec = 2};
	int fd = new_socket(SOCK_STREAM, 0);

	to.sin_addr.s_addr = htonl(0x7f000009);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
		return fd;
	close(fd);
	return -errno;
}

static void states(void)
{
	int tcp = new_socket(SOCK_STREAM, 0), udp = new_socket(SOCK_DGRAM, 0), client, child;
	int server = listening(0), tcp_bound = bound(SOCK_STREAM, 0), udp_bound = bound(SOCK_DGRAM, 0);
	struct sockaddr_in at = address_of(server);
	int unix_socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), err;

	ok(put(1, tcp) == -EOPNOTSUPP, "a SOCKMAP refuses a TCP socket that is not bound");
	ok(put(1, tcp_bound) == -EOPNOTSUPP, "a SOCKMAP refuses a TCP socket that does not listen");
	ok(put(1, server) == 0, "a SOCKMAP takes a TCP socket that listens");
	ok(seen(1) == (int64_t)cookie_of(server), "a lookup from user space gives the socket's cookie");
	err = put(2, udp);
	ok(err == -EOPNOTSUPP || err == 0,
	   "a SOCKMAP %s a UDP socket that is not bound: whether it is must be checked",
	   err ? "refuses" : "takes");
	take_out(2);
	ok(put(2, udp_bound) == 0, "a SOCKMAP takes a UDP socket that is bound");
	ok(put(3, unix_socket) == -EOPNOTSUPP, "a SOCKMAP refuses an unconnected unix socket");

	client = new_socket(SOCK_STREAM, 0);
	if (connect(client, (struct sockaddr *)&at, sizeof(at)))
		die("connect");
	child = accept(server, NULL, NULL);
	ok(child >= 0 && put(3, child) == 0,
	   "a SOCKMAP takes a connection: whether it listens must be checked");
	close(child);
	close(client);
	close(server);
	close(tcp);
	close(tcp_bound);
	close(udp);
	close(udp_bound);
	close(unix_socket);
	ok(seen(1) == -ENOENT && seen(2) == -ENOENT && seen(3) == -ENOENT,
	   "a closed socket leaves the SOCKMAP by itself");
}

static void mptcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_MPTCP);

	if (fd < 0) {
		ok(true, "a SOCKMAP refuses an MPTCP listener # SKIP this kernel has no MPTCP");
		return;
	}
	close(fd);
	fd = listening(IPPROTO_MPTCP);
	ok(put(1, fd) == -EOPNOTSUPP, "a SOCKMAP refuses an MPTCP listener");
	close(fd);
}

static void slots(void)
{
	int a = listening(0), b = listening(0), copy = dup(a);
	int64_t cookie = (int64_t)cookie_of(a);

	ok(put(1, a) == 0 && put(1, b) == -EEXIST && seen(1) == cookie,
	   "BPF_NOEXIST over an occupied slot gives EEXIST");
	ok(put(2, a) == 0 && seen(1) == cookie && seen(2) == cookie, "one socket may sit in several slots");
	take_out(1);
	ok(seen(1) == -ENOENT && seen(2) == cookie, "taken out of one slot it stays in the other");
	ok(put(1, b) == 0 && seen(1) == (int64_t)cookie_of(b), "a slot that was emptied can be filled again");
	close(a);
	ok(seen(2) == cookie, "a socket stays in the map while somebody has it open");
	close(copy);
	ok(seen(2) == -ENOENT, "and leaves it when nobody has");
	close(b);
}

static void listen_again(void)
{
	const struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(4241)};
	int program = load_program(offsetof(struct bpf_sk_lookup, local_port)), accepts = -1;
	int fd = new_socket(SOCK_STREAM, 0);
	int64_t cookie = (int64_t)cookie_of(fd);
	socklen_t length = sizeof(accepts);

	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) || listen(fd, 8) || put(1, fd))
		die("listen");
	ok(listen(fd, 100) == 0 && seen(1) == cookie,
	   "listen() with another backlog changes nothing in the map");
	ok(shutdown(fd, SHUT_RDWR) == 0 && seen(1) == cookie, "a listener that is shut down keeps its slot");
	ok(getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &accepts, &length) == 0 && accepts == 0,
	   "SO_ACCEPTCONN tells that it was shut down");
	ok(listen(fd, 8) == 0 && seen(1) == cookie && address_of(fd).sin_port == at.sin_port &&
		   test_run(program, 1) == cookie,
	   "when it listens again, it is where it was, and picked");
	close(program);
	close(fd);
}

static void picking(void)
{
	int program = load_program(offsetof(struct bpf_sk_lookup, local_port)), udp = bound(SOCK_DGRAM, 0);
	int fd = listening(0), group = new_socket(SOCK_STREAM, 0), one = 1;
	int v6 = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

	put(1, fd);
	put(2, udp);
	setsockopt(group, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
	listen(group, 8); /* binds it, too */
	put(3, group);
	setsockopt(v6, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	listen(v6, 8);
	put(4, v6);
	ok(test_run(program, 1) == (int64_t)cookie_of(fd),
	   "a program picks a socket whatever it is bound to");
	ok(test_run(program, 2) == 0, "but none of another protocol");
	ok(test_run(program, 4) == 0, "and none that has only the other family");
	ok(test_run(program, 3) == -EOPNOTSUPP,
	   "PROG_TEST_RUN cannot tell which socket of a SO_REUSEPORT group");
	ok(test_run(program, 5) == 0, "an empty slot picks nothing");
	close(v6);
	close(group);
	close(udp);
	close(fd);
	close(program);
}

static void arriving(void)
{
	int fd = listening(0), program = load_program(offsetof(struct bpf_sk_lookup, ingress_ifindex)), link,
	    client;
	struct sockaddr_in at;
	socklen_t length = sizeof(at);
	uint32_t slot = if_nametoindex("lo");
	bool has_field = program >= 0;
	int child;

	if (!has_field) {
		program = load_program(offsetof(struct bpf_sk_lookup, family));
		slot = AF_INET;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	put(slot, fd);
	ok(dial(4242) == -ECONNREFUSED, "without a program nobody has the port");
	link = attach(program);
	client = link < 0 ? link : dial(4242);
	ok(client >= 0, "ingress_ifindex of what comes over loopback is that of lo%s",
	   has_field ? "" : " # SKIP Linux before 5.17 has no such field");
	child = accept(fd, (struct sockaddr *)&at, &length);
	length = sizeof(at);
	ok(child >= 0 && getsockname(child, (struct sockaddr *)&at, &length) == 0 &&
		   at.sin_addr.s_addr == htonl(0x7f000009) && at.sin_port == htons(4242),
	   "getsockname() of the connection shows the address that the client used");
	close(fd);
	ok(write(client, "?", 1) == 1 && read(child, &(char){0}, 1) == 1, "it outlives its listener");
	ok(dial(4242) == -ECONNREFUSED, "when the listener is closed, nobody has the port again");
	close(child);
	close(client);
	close(link);
	close(program);
}

/* Bound to a port that was asked for: before some kernel, disconnecting one whose port the kernel chose took
 * it out of the map. */
static int udp_pair(int *client)
{
	const struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(4243)};
	int fd = new_socket(SOCK_DGRAM, 0);

	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)))
		die("bind");
	*client = new_socket(SOCK_DGRAM, 0);
	if (connect(*client, (struct sockaddr *)&at, sizeof(at)))
		die("connect");
	return fd;
}

/* Sends five bytes to `fd` and returns what recv() then says to a buffer of this size. */
static ssize_t receive(int client, int fd, size_t size, int flags)
{
	char buffer[16];

	if (client >= 0 && send(client, "hello", 5, 0) != 5)
		die("send");
	return recv(fd, buffer, size, flags | MSG_DONTWAIT);
}

static void udp_in_map(void)
{
	int client, fd = udp_pair(&client), left = 0;
	struct sockaddr_in from;
	socklen_t length = sizeof(from);
	char buffer[16];

	put(1, fd);
	ok(receive(client, fd, 16, MSG_PEEK) == 5 && receive(-1, fd, 2, MSG_PEEK | MSG_TRUNC) == 5 &&
		   receive(-1, fd, 1, MSG_PEEK | MSG_TRUNC) == 5 && receive(-1, fd, 2, 0) == 2 &&
		   receive(-1, fd, 16, 0) == -1 && errno == EAGAIN,
	   "a UDP socket in a SOCKMAP receives, peeks and cuts as any");
	ok(receive(client, fd, 2, MSG_TRUNC) == 5, "and tells with MSG_TRUNC how much it has cut");
	receive(client, fd, 1, MSG_PEEK);
	ok(ioctl(fd, FIONREAD, &left) == 0 && (left == 5 || left == 0),
	   "FIONREAD tells the size of the first datagram%s", left ? "" : ", but on this kernel says 0");
	ok(recvfrom(fd, buffer, 16, 0, (struct sockaddr *)&from, &length) == 5 &&
		   from.sin_port == address_of(client).sin_port,
	   "recvfrom() tells the client");
	if (receive(client, fd, 0, MSG_PEEK | MSG_TRUNC) == 5) {
		ok(receive(-1, fd, 0, 0) == 0 && receive(-1, fd, 16, 0) == -1 && errno == EAGAIN,
		   "with an empty buffer, on this kernel, it tells the size, and consumes, as any");
	} else {
		ok(receive(-1, fd, 1, MSG_PEEK | MSG_TRUNC) == 5,
		   "with an empty buffer MSG_PEEK|MSG_TRUNC does not tell the size, with one byte it does");
		ok(receive(-1, fd, 0, 0) == 0 && receive(-1, fd, 16, 0) == 5,
		   "recv() into an empty buffer leaves the datagram there");
		ok(receive(-1, fd, 0, 0) == 0, "and returns at once where there is none");
	}
	receive(client, fd, 1, MSG_PEEK);
	take_out(1);
	ok(receive(-1, fd, 0, MSG_PEEK | MSG_TRUNC) == 5 && receive(-1, fd, 0, 0) == 0 &&
		   receive(-1, fd, 16, 0) == -1,
	   "taken out of the map it tells the size, and consumes, as it did before");
	close(client);
	close(fd);
}

static void udp_events(void)
{
	int client, fd = udp_pair(&client), poller = epoll_create1(EPOLL_CLOEXEC), on = 1;
	struct epoll_event event = {.events = EPOLLIN | EPOLLET};
	struct sock_extended_err error;
	struct sockaddr_in gone, to;

	epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event);
	put(1, fd);
	ok(epoll_wait(poller, &event, 1, 0) == 0 && receive(client, fd, 1, MSG_PEEK) == 1 &&
		   epoll_wait(poller, &event, 1, 1000) == 1 && event.events == EPOLLIN,
	   "an epoll that knew a UDP socket before it came into the map still wakes up");
	receive(-1, fd, 16, 0);
	receive(client, fd, 1, MSG_PEEK);
	ok(epoll_wait(poller, &event, 1, 1000) == 1 && receive(-1, fd, 16, 0) == 5,
	   "and again, edge-triggered");

	setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	gone = address_of(client);
	close(client);
	sendto(fd, "?", 1, 0, (struct sockaddr *)&gone, sizeof(gone));
	ok(epoll_wait(poller, &event, 1, 1000) == 1 && event.events & EPOLLERR, "a client that is gone, too");
	ok(take_error(fd, &error, &to) == 1 && error.ee_errno == ECONNREFUSED && to.sin_port == gone.sin_port,
	   "MSG_ERRQUEUE tells which, and why");
	ok(take_error(fd, &error, &to) == -1 && errno == EAGAIN, "and only once");
	close(poller);
	close(fd);
}

static void udp_connected(void)
{
	const struct sockaddr unspec = {.sa_family = AF_UNSPEC};
	int client, fd = udp_pair(&client);
	int program = load_program(offsetof(struct bpf_sk_lookup, local_port));
	struct bpf_sk_lookup ctx = {.family = AF_INET, .protocol = IPPROTO_UDP, .local_port = 1}, out = {0};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .ctx_out = &out,
		    .ctx_size_out = sizeof(out));
	struct sockaddr_in at = address_of(client);
	int64_t cookie = (int64_t)cookie_of(fd);

	put(1, fd);
	ok(bpf_prog_test_run_opts(program, &run) == 0 && (int64_t)out.cookie == cookie,
	   "a UDP socket in a SOCKMAP is picked");
	out.cookie = 0;
	ok(connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && seen(1) == cookie &&
		   bpf_prog_test_run_opts(program, &run) == 0 && out.cookie == 0,
	   "connected, it keeps its slot, but is not picked");
	ok(connect(fd, &unspec, sizeof(unspec)) == 0 && seen(1) == cookie &&
		   bpf_prog_test_run_opts(program, &run) == 0 && (int64_t)out.cookie == cookie,
	   "disconnected, it is picked again");
	close(program);
	close(client);
	close(fd);
}

static void many_programs(void)
{
	int first = load_program(offsetof(struct bpf_sk_lookup, local_port)), nothing = load_program(-1);
	int links[MOST_PROGRAMS], fd = listening(0), client;

	put(60, fd);
	for (int i = 0; i < MOST_PROGRAMS - 1; i++)
		links[i] = attach(nothing);
	links[MOST_PROGRAMS - 1] = attach(first);
	ok(links[0] >= 0 && links[MOST_PROGRAMS - 1] >= 0, "a network namespace has room for %d programs",
	   MOST_PROGRAMS);
	ok(attach(first) == -E2BIG, "and for no more");
	client = dial(60); /* the slot is the port */
	ok(client >= 0, "one that picks nothing does not undo what another has picked");
	close(client);
	for (int i = 0; i < MOST_PROGRAMS; i++)
		close(links[i]);
	close(fd);
	close(first);
	close(nothing);
}

static void namespace_of_socket(void)
{
	int fd = listening(0), its = ioctl(fd, SIOCGSKNS);
	struct stat a = {0}, b = {0};

	ok(its >= 0 && fstat(its, &a) == 0 && fstat(netns, &b) == 0 && a.st_ino == b.st_ino,
	   "SIOCGSKNS gives the network namespace of a socket");
	close(its);
	close(fd);
}

int main(void)
{
	enter_world();
	netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	map = bpf_map_create(BPF_MAP_TYPE_SOCKMAP, "facts", sizeof(uint32_t), sizeof(uint64_t), 64, NULL);
	if (netns < 0 || map < 0)
		die("SOCKMAP");
	states();
	mptcp();
	slots();
	listen_again();
	picking();
	arriving();
	udp_in_map();
	udp_events();
	udp_connected();
	many_programs();
	namespace_of_socket();
	return finish();
}
