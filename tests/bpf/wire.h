/* SPDX-License-Identifier: BSD-2-Clause */
/* A client made of bytes: behind a tun device, so that every packet is seen as it would go over a wire. */
#ifndef SKL_TESTS_BPF_WIRE_H
#define SKL_TESTS_BPF_WIRE_H

#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <sys/uio.h>

#include "tests/bpf/packets.h"
#include "tests/bpf/world.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define CLIENT_PORT  40000
#define MOST_PACKETS 64
#define MOST_LENGTH  65600

static int tun;

struct seen {
	size_t length; /* of the packet */
	struct virtio_net_hdr how;
	unsigned char ip[MOST_LENGTH];
};

/* Where in a packet what is. */
struct parts {
	const unsigned char *source;
	size_t source_length;
	size_t id, id_length; /* of the datagram, in all fragments */
	size_t payload;	      /* UDP's header, or what follows of it */
	size_t offset;	      /* of the payload, in the datagram */
	bool more;
	uint8_t protocol;
};

/* What packets carried: one datagram, put together again. */
struct datagram {
	union address from;
	uint16_t checksum;
	bool partial; /* the checksum is left to the other end */
	size_t length;
	unsigned char udp[MOST_LENGTH];
};

static inline uint32_t sum_bytes(const void *data, size_t length, uint32_t sum)
{
	const unsigned char *p = data;

	for (size_t i = 0; i + 1 < length; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (length % 2)
		sum += (uint32_t)p[length - 1] << 8;
	return sum;
}

static inline uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* The pseudo header's sum for the UDP of this many bytes that an IP packet carries. */
static inline uint32_t pseudo_sum(const unsigned char *ip, size_t udp_length)
{
	uint32_t sum = IPPROTO_UDP + (uint32_t)udp_length;

	return ip[0] >> 4 == 4 ? sum_bytes(ip + 12, 8, sum) : sum_bytes(ip + 8, 32, sum);
}

static inline void open_tun(void)
{
	struct ifreq request = {.ifr_name = "tun0", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};

	tun = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (tun < 0 || ioctl(tun, TUNSETIFF, &request))
		die("tun");
	run_ip("ip address add 203.0.113.1/24 dev tun0; ip -6 address add fd00:6::1/64 dev tun0 nodad;"
	       "ip link set tun0 mtu 1500 up");
}

/* What is left to the other end: 0, TUN_F_CSUM, ... */
static inline bool set_tun_offload(unsigned int what)
{
	return ioctl(tun, TUNSETOFFLOAD, what) == 0;
}

/* Reads all that was sent to the client, into `out`. Returns how many packets. */
static inline size_t read_tun(struct seen out[MOST_PACKETS])
{
	size_t n = 0;
	ssize_t got;

	while (n < MOST_PACKETS) {
		struct seen *s = &out[n];
		struct iovec two[] = {{&s->how, sizeof(s->how)}, {s->ip, sizeof(s->ip)}};

		got = readv(tun, two, 2);
		if (got <= 0)
			break;
		s->length = (size_t)got - sizeof(s->how);
		if (s->ip[0] >> 4 != 6 || s->ip[24] != 0xff) /* multicast is the kernel's own */
			n++;
	}
	return n;
}

static inline bool find_parts(const struct seen *s, struct parts *out)
{
	const unsigned char *ip = s->ip;
	size_t at = 40, length;
	uint8_t next = ip[6];

	*out = (struct parts){.source = ip + 8, .source_length = 16};
	if (ip[0] >> 4 == 4) {
		unsigned int fragment = (unsigned int)(ip[6] << 8 | ip[7]);

		*out = (struct parts){.source = ip + 12,
				      .source_length = 4,
				      .id = 4,
				      .id_length = 2,
				      .payload = (ip[0] & 15) * 4u,
				      .offset = (fragment & 0x1fff) * 8,
				      .more = fragment & 0x2000,
				      .protocol = ip[9]};
		return (ip[2] << 8 | ip[3]) == (int)s->length &&
		       fold(sum_bytes(ip, out->payload, 0)) == 0xffff;
	}
	while (!out->offset &&
	       (next == IPPROTO_HOPOPTS || next == IPPROTO_DSTOPTS || next == IPPROTO_FRAGMENT)) {
		if (next == IPPROTO_FRAGMENT) {
			out->id = at + 4;
			out->id_length = 4;
			out->offset = (size_t)(ip[at + 2] << 8 | ip[at + 3]) & 0xfff8;
			out->more = ip[at + 3] & 1;
		}
		length = next == IPPROTO_FRAGMENT ? 8 : 8 + ip[at + 1] * 8u;
		next = ip[at];
		at += length;
	}
	out->payload = at;
	out->protocol = next;
	return (size_t)(ip[4] << 8 | ip[5]) + 40 == s->length;
}

/* Is the checksum right, or the part of it that has been done? */
static inline bool checksum_good(const struct seen *first, const struct parts *p, struct datagram *d)
{
	uint32_t pseudo = pseudo_sum(first->ip, d->length);

	d->partial = first->how.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM;
	d->checksum = (uint16_t)(d->udp[6] << 8 | d->udp[7]);
	if (d->partial)
		return first->how.csum_start == p->payload && first->how.csum_offset == 6 &&
		       fold(d->checksum) == fold(pseudo);
	return d->checksum == 0 || fold(sum_bytes(d->udp, d->length, pseudo)) == 0xffff;
}

/* The datagram that begins with the first of these packets. Returns how many of them it took, or 0 with the
 * reason said. */
static inline size_t assemble(const struct seen *s, size_t n, struct datagram *out)
{
	struct parts first = {0}, p = {.more = true};
	size_t i;

	*out = (struct datagram){0};
	for (i = 0; i < n && p.more; i++) {
		if (!find_parts(&s[i], &p)) {
			printf("# packet %zu: its header is bad\n", i);
			return 0;
		}
		if (i == 0)
			first = p;
		if (p.offset != out->length || p.protocol != IPPROTO_UDP ||
		    memcmp(p.source, first.source, p.source_length) != 0 ||
		    memcmp(s[i].ip + p.id, s[0].ip + first.id, p.id_length) != 0) {
			printf("# packet %zu does not belong to the first\n", i);
			return 0;
		}
		memcpy(out->udp + p.offset, s[i].ip + p.payload, s[i].length - p.payload);
		out->length = p.offset + s[i].length - p.payload;
	}
	if (p.more || out->length < 8) {
		printf("# %zu packets, but no datagram\n", n);
		return 0;
	}
	if (first.source_length == 4) {
		out->from.v4.sin_family = AF_INET;
		memcpy(&out->from.v4.sin_addr, first.source, 4);
		memcpy(&out->from.v4.sin_port, out->udp, 2);
	} else {
		out->from.v6.sin6_family = AF_INET6;
		memcpy(&out->from.v6.sin6_addr, first.source, 16);
		memcpy(&out->from.v6.sin6_port, out->udp, 2);
	}
	if (checksum_good(&s[0], &first, out))
		return i;
	printf("# checksum %04x is bad\n", out->checksum);
	return 0;
}

/* Makes 0 of what differs from one time to the next, and, if `source`, of all that depends on the source. */
static inline void blank(struct seen *s, bool source)
{
	struct parts p;

	find_parts(s, &p);
	memset(s->ip + p.id, 0, p.id_length);
	if (p.source_length == 4)
		memset(s->ip + 10, 0, 2);
	if (!source)
		return;
	memset(s->ip + (p.source - s->ip), 0, p.source_length);
	if (p.offset == 0) {
		memset(s->ip + p.payload, 0, 2);
		memset(s->ip + p.payload + 6, 0, 2);
	}
}

/* Are they the same, but for that? Both are lost. */
static inline bool same_packets(struct seen *a, size_t n_a, struct seen *b, size_t n_b, bool source)
{
	if (n_a != n_b) {
		printf("# %zu packets against %zu\n", n_a, n_b);
		return false;
	}
	for (size_t i = 0; i < n_a; i++) {
		blank(&a[i], source);
		blank(&b[i], source);
		if (a[i].length != b[i].length || memcmp(&a[i].how, &b[i].how, sizeof(a[i].how)) != 0 ||
		    memcmp(a[i].ip, b[i].ip, a[i].length) != 0) {
			printf("# packet %zu of %zu differs\n", i, n_a);
			return false;
		}
	}
	return true;
}

/* The client, 203.0.113.2 or fd00:6::2, asks from this port. */
static inline void ask_through_tun(const union address *to, uint16_t port)
{
	static const unsigned char client6[16] = {0xfd, 0, 0, 6, [15] = 2};
	struct {
		struct virtio_net_hdr how;
		unsigned char ip[60];
	} out = {0};
	struct udphdr udp = {.source = htons(port), .len = htons(9)};
	unsigned char *ip = out.ip;
	size_t header = to->any.sa_family == AF_INET ? 20 : 40, length = header + 9;
	uint16_t sum;

	if (header == 20) {
		struct iphdr h = {.version = 4,
				  .ihl = 5,
				  .ttl = 64,
				  .protocol = IPPROTO_UDP,
				  .tot_len = htons((uint16_t)length),
				  .saddr = htonl(0xcb007102),
				  .daddr = to->v4.sin_addr.s_addr};

		h.check = htons((uint16_t)~fold(sum_bytes(&h, sizeof(h), 0)));
		memcpy(ip, &h, sizeof(h));
		udp.dest = to->v4.sin_port;
	} else {
		struct ip6_hdr h = {.ip6_flow = htonl(6u << 28),
				    .ip6_plen = htons(9),
				    .ip6_nxt = IPPROTO_UDP,
				    .ip6_hlim = 64,
				    .ip6_dst = to->v6.sin6_addr};

		memcpy(&h.ip6_src, client6, sizeof(client6));
		memcpy(ip, &h, sizeof(h));
		udp.dest = to->v6.sin6_port;
	}
	memcpy(ip + header, &udp, sizeof(udp));
	ip[header + 8] = '?';
	sum = (uint16_t)~fold(sum_bytes(ip + header, 9, pseudo_sum(ip, 9)));
	udp.check = htons(sum);
	memcpy(ip + header, &udp, sizeof(udp));
	if (write(tun, &out, sizeof(out.how) + length) != (ssize_t)(sizeof(out.how) + length))
		die("writing to tun");
}

#endif
