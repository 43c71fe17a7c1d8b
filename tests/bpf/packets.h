/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets as the rows of a table name them, and the networks through which they really travel. */
#ifndef SKL_TESTS_BPF_PACKETS_H
#define SKL_TESTS_BPF_PACKETS_H

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>

#include "tests/bpf/world.h"

static int here, far; /* network namespaces; the far one is reached through skl0 */

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

struct packet {
	union address to;
	int type;
	bool from_far;
};

static inline void make_address(union address *out, const char *text, uint16_t port)
{
	*out = (union address){0};
	if (inet_pton(AF_INET, text, &out->v4.sin_addr) == 1) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(port);
	} else if (inet_pton(AF_INET6, text, &out->v6.sin6_addr) == 1) {
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons(port);
	} else {
		errno = EINVAL;
		die(text);
	}
}

/* Cuts "ADDRESS:PORTS/udp", with IPv6 in brackets, into address and ports. Returns the type of socket. */
static inline int split(char *text, char **address, char **ports)
{
	char *udp = strstr(text, "/udp"), *colon = strrchr(text, ':'), *bracket = strchr(text, ']');

	if (udp)
		*udp = '\0';
	*colon = '\0';
	*ports = colon + 1;
	*address = text;
	if (bracket) { /* "[::]/0" and "[::/0]" are the same */
		memmove(bracket, bracket + 1, strlen(bracket));
		*address = text + 1;
	}
	return udp ? SOCK_DGRAM : SOCK_STREAM;
}

static inline void read_packet(struct packet *out, const char *to)
{
	char text[100], *suffix, *address, *port;

	snprintf(text, sizeof(text), "%s", to);
	suffix = strchr(text, '%');
	out->from_far = suffix;
	if (suffix)
		*suffix = '\0';
	out->type = split(text, &address, &port);
	make_address(&out->to, address, (uint16_t)atoi(port));
}

/* As an IPv6 address, in which IPv4 is mapped, with the port. */
static inline void normalize(const union address *a, unsigned char out[18])
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (a->any.sa_family == AF_INET) {
		memcpy(out, mapped, 12);
		memcpy(out + 12, &a->v4.sin_addr, 4);
		memcpy(out + 16, &a->v4.sin_port, 2);
	} else {
		memcpy(out, &a->v6.sin6_addr, 16);
		memcpy(out + 16, &a->v6.sin6_port, 2);
	}
}

static inline int this_netns(void)
{
	int fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/self/ns/net");
	return fd;
}

static inline void run_ip(const char *commands)
{
	char line[1000];

	snprintf(line, sizeof(line), "set -e; here=/proc/%d/fd/%d; %s", getpid(), here, commands);
	if (system(line))
		die(commands);
}

/* Addresses besides 127/8 and ::1 that are local, and another namespace behind skl0. */
static inline void make_networks(void)
{
	here = this_netns();
	if (unshare(CLONE_NEWNET))
		die("far namespace");
	far = this_netns();
	run_ip("ip link add skl1 type veth peer name skl0 netns $here;"
	       "ip address add 198.51.100.2/24 dev skl1; ip link set skl1 up;"
	       "ip route add 192.0.2.0/24 via 198.51.100.1");
	if (setns(here, CLONE_NEWNET))
		die("namespace");
	run_ip("ip address add 198.51.100.1/24 dev skl0; ip link set skl0 up;"
	       "ip route add local 192.0.2.0/24 dev lo; ip -6 route add local 2001:db8::/32 dev lo");
}

static inline int client(const struct packet *p)
{
	/* leaves no TIME_WAIT, which the next packet might match */
	const struct linger reset = {.l_onoff = 1};
	const struct timeval patience = {.tv_sec = 2};
	int fd;

	if (p->from_far && setns(far, CLONE_NEWNET))
		die("far namespace");
	fd = socket(p->to.any.sa_family, p->type | SOCK_CLOEXEC, 0);
	if (p->from_far && setns(here, CLONE_NEWNET))
		die("namespace");
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) ||
	    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)))
		die("client");
	return fd;
}

#endif
