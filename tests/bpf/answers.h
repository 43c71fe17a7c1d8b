/* SPDX-License-Identifier: BSD-2-Clause */
/* One question and its answer between a connected UDP client and a server, with all ways to answer. */
#ifndef SKL_TESTS_BPF_ANSWERS_H
#define SKL_TESTS_BPF_ANSWERS_H

#include <netinet/in.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bpf/errqueue.h"
#include "tests/bpf/packets.h"
#include "tests/bpf/world.h"

#ifndef UDP_NO_CHECK6_TX
#define UDP_NO_CHECK6_TX 101
#define UDP_NO_CHECK6_RX 102
#endif

#define MOST_BYTES 65507 /* in one datagram of IPv4 */
#define SEGMENT	   1000	 /* bytes */

enum how {
	PLAINLY,
	CONNECTED, /* the server has connected its socket to the client, as socat does */
	PKTINFO,   /* it names the address it was asked at as the source, as dnsmasq does */
	UNCHECKED, /* without a UDP checksum */
	SENDMMSG,  /* twice, by one call */
	SEGMENTED, /* in many datagrams that the kernel makes of one write */
	N_HOWS
};

static const char *const how_names[N_HOWS] = {
	"answered plainly",	      "answered by a socket connected meanwhile",
	"answered with IP_PKTINFO",   "answered without checksum",
	"answered twice by sendmmsg", "answered with UDP_SEGMENT",
};

static unsigned char question[MOST_BYTES + 1], answer[MOST_BYTES + 1], received[MOST_BYTES + 1];

static inline void fill_payloads(void)
{
	for (size_t i = 0; i < sizeof(question); i++) {
		question[i] = (unsigned char)(i * 7 + i / 251);
		answer[i] = (unsigned char)(i * 13 + i / 253);
	}
}

static inline socklen_t length_of(const union address *a)
{
	return a->any.sa_family == AF_INET ? sizeof(a->v4) : sizeof(a->v6);
}

/* A UDP socket in the namespace `where`. */
static inline int udp_socket(int where, int family)
{
	const struct timeval patience = {.tv_sec = 2};
	const int room = 1 << 20;
	int fd;

	if (where != here && setns(where, CLONE_NEWNET))
		die("namespace");
	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (where != here && setns(here, CLONE_NEWNET))
		die("namespace");
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)))
		die("UDP socket");
	return fd;
}

static inline int udp_connected(int where, const union address *to)
{
	int fd = udp_socket(where, to->any.sa_family);

	if (connect(fd, &to->any, length_of(to)))
		die("connect");
	return fd;
}

static inline int udp_bound(const char *address, uint16_t port, bool dual)
{
	union address at;
	int fd, v6only = !dual;

	make_address(&at, address, port);
	fd = udp_socket(here, at.any.sa_family);
	if (at.any.sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&at.v6.sin6_addr))
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only));
	if (bind(fd, &at.any, length_of(&at)))
		die(address);
	return fd;
}

/* Turns what came with the question into what goes with the answer. */
static inline void turn_round(struct msghdr *message, union control *control)
{
	struct in6_pktinfo *v6 = (struct in6_pktinfo *)CMSG_DATA(&control->header);
	struct in_pktinfo *v4 = (struct in_pktinfo *)CMSG_DATA(&control->header);

	if (control->header.cmsg_type == IP_PKTINFO)
		*v4 = (struct in_pktinfo){.ipi_spec_dst = v4->ipi_addr};
	else
		v6->ipi6_ifindex = 0;
	message->msg_controllen = CMSG_SPACE(control->header.cmsg_len - CMSG_LEN(0));
}

static inline void cut_into_segments(struct msghdr *message, union control *control)
{
	const uint16_t segment = SEGMENT;

	control->header.cmsg_level = SOL_UDP;
	control->header.cmsg_type = UDP_SEGMENT;
	control->header.cmsg_len = CMSG_LEN(sizeof(segment));
	memcpy(CMSG_DATA(&control->header), &segment, sizeof(segment));
	message->msg_controllen = CMSG_SPACE(sizeof(segment));
}

static inline bool take_question(int server, enum how how, size_t size, struct msghdr *message)
{
	struct iovec *data = message->msg_iov;
	ssize_t got;

	*data = (struct iovec){received, sizeof(received)};
	if (how != PKTINFO)
		message->msg_controllen = 0;
	got = recvmsg(server, message, 0);
	if (got == (ssize_t)size && memcmp(received, question, size) == 0)
		return true;
	printf("# the server gets %zd of %zu bytes: %s\n", got, size, got < 0 ? strerror(errno) : "others");
	return false;
}

static inline bool give_answer(int server, enum how how, size_t size, struct msghdr *message)
{
	struct mmsghdr two[2];
	union control *control = message->msg_control;
	ssize_t sent;

	*message->msg_iov = (struct iovec){answer, size};
	message->msg_controllen = 0;
	if (how == CONNECTED) {
		if (connect(server, message->msg_name, message->msg_namelen))
			return false;
		sent = send(server, answer, size, 0);
	} else if (how == SENDMMSG) {
		two[0].msg_hdr = two[1].msg_hdr = *message;
		return sendmmsg(server, two, 2, 0) == 2;
	} else {
		if (how == PKTINFO)
			turn_round(message, control);
		else if (how == SEGMENTED)
			cut_into_segments(message, control);
		sent = sendmsg(server, message, 0);
	}
	if (sent == (ssize_t)size)
		return true;
	printf("# answering with %zu bytes: %s\n", size, strerror(errno));
	return false;
}

/* Gets the client, who hears only whom it asked, exactly this? */
static inline bool take_answer(int fd, size_t size, size_t in_one)
{
	size_t have = 0;

	do {
		size_t want = size - have < in_one ? size - have : in_one;
		ssize_t got = recv(fd, received + have, sizeof(received) - have, 0);

		if (got != (ssize_t)want) {
			printf("# the client gets %zd of %zu bytes: %s\n", got, want, strerror(errno));
			return false;
		}
		have += want;
	} while (have < size);
	return memcmp(received, answer, size) == 0;
}

static inline void set_how(int server, int fd, enum how how, int on)
{
	if (how == UNCHECKED) {
		setsockopt(server, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on));
		setsockopt(server, SOL_UDP, UDP_NO_CHECK6_TX, &on, sizeof(on));
		setsockopt(fd, SOL_UDP, UDP_NO_CHECK6_RX, &on, sizeof(on));
	} else if (how == PKTINFO) {
		setsockopt(server, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
		setsockopt(server, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
		/* without it IPv6 takes no source that is local only by a route */
		setsockopt(server, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
	}
}

/* The client, connected, sends `size` bytes and gets as many. After CONNECTED the server is of no use. */
static inline bool exchange(int fd, int server, enum how how, size_t size)
{
	union control control = {0};
	union address from;
	struct iovec data;
	struct msghdr message = {.msg_name = &from,
				 .msg_namelen = sizeof(from),
				 .msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	bool good;

	if (send(fd, question, size, 0) != (ssize_t)size) {
		printf("# asking with %zu bytes: %s\n", size, strerror(errno));
		return false;
	}
	set_how(server, fd, how, 1);
	good = take_question(server, how, size, &message) && give_answer(server, how, size, &message) &&
	       take_answer(fd, size, how == SEGMENTED ? SEGMENT : MOST_BYTES) &&
	       (how != SENDMMSG || take_answer(fd, size, MOST_BYTES));
	set_how(server, fd, how, 0);
	return good;
}

#endif
