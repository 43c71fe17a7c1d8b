// SPDX-License-Identifier: BSD-2-Clause
/*
 * flood COUNT [SEED]: sends the helper COUNT requests that are wrong in a random way, as fast as it answers,
 * with descriptors of random kinds attached. Prints "sent N answered N ok N" with what came of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper/wire.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

#define KINDS	 20
#define MANY	 253 /* SCM_MAX_FD */
#define LONGEST	 (sizeof(struct skl_request) + SKL_TEXT_MAX + 2000)
#define PATIENCE 20 /* seconds without an answer: the helper is as good as dead */

static int kinds[KINDS];
static size_t n_kinds;
static uint64_t seed = 1;

static uint32_t draw(uint32_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint32_t)(seed >> 32) % below;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- descriptors ---- */

static void add(int fd)
{
	if (fd >= 0)
		kinds[n_kinds++] = fd;
}

static int inet(int family, int type, int protocol, bool binds, bool listens)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = {0};
	int fd = socket(family, type, protocol);

	a.any.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		a.v6.sin6_addr = in6addr_loopback;
	if (fd >= 0 && binds && bind(fd, &a.any, family == AF_INET ? sizeof(a.v4) : sizeof(a.v6)) < 0)
		die("bind");
	if (fd >= 0 && listens && listen(fd, 8) < 0)
		die("listen");
	return fd;
}

static int connected(int listener)
{
	struct sockaddr_in a;
	socklen_t length = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || getsockname(listener, (struct sockaddr *)&a, &length) < 0 ||
	    connect(fd, (struct sockaddr *)&a, length) < 0)
		die("connect");
	return fd;
}

static void make_kinds(void)
{
	int pair[2];

	add(inet(AF_INET, SOCK_STREAM, 0, true, true));
	add(connected(kinds[0]));
	add(inet(AF_INET6, SOCK_STREAM, 0, true, true));
	add(inet(AF_INET, SOCK_DGRAM, 0, true, false));
	add(inet(AF_INET6, SOCK_DGRAM, 0, true, false));
	add(inet(AF_INET, SOCK_DGRAM, 0, false, false));
	add(inet(AF_INET, SOCK_STREAM, 0, true, false));
	add(inet(AF_INET6, SOCK_STREAM, 0, false, false));
	add(inet(AF_INET, SOCK_STREAM, IPPROTO_MPTCP, true, true));
	if (pipe(pair) == 0) {
		add(pair[0]);
		add(pair[1]);
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0)
		add(pair[0]);
	add(socket(AF_UNIX, SOCK_DGRAM, 0));
	add(socket(AF_NETLINK, SOCK_RAW, 0));
	add(open("/dev/null", O_RDWR));
	add(open("/proc/self/ns/net", O_RDONLY));
	add(open("/", O_PATH));
	add(memfd_create("flood", 0));
	add(epoll_create1(0));
	add(eventfd(0, 0));
}

/* ---- messages ---- */

static const char *const texts[] = {
	"SKL_PORTS=7001",
	"SKL_PORTS=7001,7002/udp,7010-7019",
	"SKL_PORTS=*",
	"SKL_CIDRS=127.0.0.0/8,::1",
	"SKL_BIND=127.0.0.7:7003 [::1]/128:7004-7008/tcp",
	"SKL_FOR=8080",
	"SKL_SHARE=web",
	"SKL_HOLD=30s",
	"SKL_ON_ERROR=warn",
	"SKL_WAIT=5s",
	"SKL_PORTS=80",
	"SKL_UNKNOWN=1",
	"",
};

static size_t write_text(char *at, size_t room)
{
	size_t used = 0;

	for (uint32_t n = draw(4); n > 0; n--) {
		const char *text = texts[draw(sizeof(texts) / sizeof(texts[0]))];
		size_t length = strlen(text) + 1;

		if (used + length > room)
			break;
		memcpy(at + used, text, length);
		used += length;
	}
	return used;
}

static void spoil_bytes(char *at, size_t length)
{
	for (uint32_t n = 1 + draw(4); n > 0 && length > 0; n--)
		at[draw((uint32_t)length)] =
			(char)(draw(2) ? draw(256) : (uint32_t) "\0,-/*:[]= 09"[draw(12)]);
}

/* A request that was right, with something about it changed. Returns its length. */
static size_t make_message(char *at)
{
	struct skl_request head = {
		.magic = SKL_WIRE_MAGIC,
		.version = SKL_WIRE_VERSION,
		.kind = (__u16)(1 + draw(5)),
		.instance = draw(3),
	};
	size_t length = sizeof(head) + write_text(at + sizeof(head), SKL_TEXT_MAX);

	head.length = (__u32)length;
	switch (draw(12)) {
	case 0:
		head.magic ^= 1u << draw(32);
		break;
	case 1:
		head.version = (__u16)draw(65536);
		break;
	case 2:
		head.kind = (__u16)draw(65536);
		break;
	case 3:
		head.length = draw(2) ? draw(40000) : UINT32_MAX - draw(40);
		break;
	case 4:
		head.pid = (__s32)draw(UINT32_MAX);
		break;
	case 5: /* noise */
		length = draw(200);
		for (size_t i = 0; i < length; i++)
			at[i] = (char)draw(256);
		return length;
	case 6: /* cut off */
		memcpy(at, &head, sizeof(head));
		return draw((uint32_t)length + 1);
	case 7: /* too long */
		length = LONGEST - draw(3000);
		memset(at + sizeof(head), ',', length - sizeof(head));
		head.length = (__u32)length;
		break;
	case 8: /* nothing, which looks like the end */
		return 0;
	default:
		spoil_bytes(at + sizeof(head), length - sizeof(head));
		break;
	}
	memcpy(at, &head, sizeof(head));
	return length;
}

static size_t how_many(void)
{
	switch (draw(16)) {
	case 0:
		return MANY;
	case 1:
		return 3 + draw(20);
	case 2:
	case 3:
		return 2;
	case 4:
	case 5:
	case 6:
	case 7:
		return 0;
	default:
		return 1;
	}
}

/* ---- the conversation ---- */

static int reach(void)
{
	static const struct sockaddr_un helper = {.sun_family = AF_UNIX, .sun_path = SKL_HELPER_SOCKET};
	static const struct timeval patience = {.tv_sec = PATIENCE};
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&helper, sizeof(helper)) < 0)
		die("connect to the helper");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static void send_one(int conn, const char *message, size_t length, size_t n)
{
	static union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(MANY * sizeof(int))];
	} control;
	struct iovec part = {(char *)message, length};
	struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
	int fds[MANY];

	for (size_t i = 0; i < n; i++)
		fds[i] = kinds[draw((uint32_t)n_kinds)];
	if (n) {
		m.msg_control = control.bytes;
		m.msg_controllen = CMSG_SPACE(n * sizeof(int));
		control.align = (struct cmsghdr){
			.cmsg_len = CMSG_LEN(n * sizeof(int)),
			.cmsg_level = SOL_SOCKET,
			.cmsg_type = SCM_RIGHTS,
		};
		memcpy(CMSG_DATA(&control.align), fds, n * sizeof(int));
	}
	/* it may have hung up on an earlier message of this connection */
	if (sendmsg(conn, &m, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET)
		die("sendmsg");
}

/* 1: an answer without an error, 0: another, -1: none. */
static int read_answer(int conn)
{
	struct {
		struct skl_reply head;
		char text[SKL_SAY_MAX + 1];
	} reply;
	ssize_t got = recv(conn, &reply, sizeof(reply), 0);

	if (got < 0 && errno != ECONNRESET)
		die("no answer");
	if (got <= 0)
		return -1;
	if (got < (ssize_t)sizeof(reply.head) || reply.head.magic != SKL_WIRE_MAGIC ||
	    reply.head.length != (size_t)got || reply.head.error < 0) {
		fprintf(stderr, "an answer breaks the contract\n");
		exit(1);
	}
	return reply.head.error == 0;
}

int main(int argc, char **argv)
{
	static char message[LONGEST];
	unsigned long count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0, sent, answered = 0, ok = 0;

	if (count == 0) {
		fprintf(stderr, "usage: flood COUNT [SEED]\n");
		return 2;
	}
	seed = argc > 2 ? strtoul(argv[2], NULL, 10) * 2 + 1 : 1;
	for (int i = 0; i < 16; i++)
		draw(2);
	make_kinds();
	for (sent = 0; sent < count;) {
		int conn = reach(), how;

		do {
			send_one(conn, message, make_message(message), how_many());
			sent++;
		} while (draw(32) == 0 && sent < count);
		if (draw(16) != 0) { /* else it does not wait for the answer */
			how = read_answer(conn);
			answered += how >= 0;
			ok += how > 0;
		}
		close(conn);
	}
	printf("sent %lu answered %lu ok %lu\n", sent, answered, ok);
	return 0;
}
