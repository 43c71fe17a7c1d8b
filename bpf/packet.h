/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an outgoing UDP packet is: its addresses, its ports and where they stand, through IPv6's further
 * headers, whole or a fragment. */
#ifndef SKL_PACKET_H
#define SKL_PACKET_H

#include <linux/bpf.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "bpf/flow.h"

#define IP_MORE_FRAGMENTS 0x2000
#define IP_OFFSET	  0x1fff

#define IP6_MORE_FRAGMENTS 0x0001
#define IP6_OFFSET	   0xfff8

#define NEXT_HOP_OPTIONS	 0
#define NEXT_FRAGMENT		 44
#define NEXT_DESTINATION_OPTIONS 60

#define MOST_HEADERS	 5   /* in front of UDP in IPv6; the kernel sends one of each kind, options twice */
#define MOST_LINK_HEADER 128 /* bytes */

/* What the fragments of one datagram have in common. */
struct fragment_key {
	__u32 source[4];
	__u32 target[4];
	__u32 id;
	__u32 family;
};

struct packet {
	struct fragment_key is;
	__u32 network;	   /* where the IP header begins, */
	__u32 transport;   /* and where what UDP has of it: bytes from the beginning of the packet */
	__u32 offset;	   /* of this fragment */
	__u16 checksum;	   /* of the IPv4 header */
	__u32 more;	   /* fragments follow */
	struct udphdr udp; /* in a first fragment */
};

/*
 * Where the IP header begins, differs with the kind of device, and no helper
 * tells it. But nothing follows what the IP header counts, so it is found from the end.
 */
static __always_inline _Bool place(struct packet *p, const struct __sk_buff *skb, __u32 ip_length,
				   __u32 header_length)
{
	p->network = skb->len - ip_length;
	p->transport = p->network + header_length;
	return p->network <= MOST_LINK_HEADER;
}

static __always_inline _Bool read_udp(struct packet *p, const struct __sk_buff *skb)
{
	return !bpf_skb_load_bytes(skb, p->transport, &p->udp, sizeof(p->udp));
}

/* Both headers at once, which is how they mostly are. A last fragment may be shorter than that. */
static __always_inline _Bool read4(struct packet *p, const struct __sk_buff *skb)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
	} h;
	__u32 fragment;

	if (bpf_skb_load_bytes_relative(skb, 0, &h, sizeof(h), BPF_HDR_START_NET) &&
	    bpf_skb_load_bytes_relative(skb, 0, &h.ip, sizeof(h.ip), BPF_HDR_START_NET))
		return 0;
	if (h.ip.protocol != IPPROTO_UDP)
		return 0;
	fragment = bpf_ntohs(h.ip.frag_off);
	p->is.family = AF_INET;
	p->is.source[0] = h.ip.saddr;
	p->is.target[0] = h.ip.daddr;
	p->is.id = h.ip.id;
	p->checksum = h.ip.check;
	p->offset = fragment & IP_OFFSET;
	p->more = fragment & IP_MORE_FRAGMENTS;
	if (!place(p, skb, bpf_ntohs(h.ip.tot_len), h.ip.ihl * 4u))
		return 0;
	if (p->transport - p->network == sizeof(h.ip)) {
		p->udp = h.udp;
		return 1;
	}
	return p->offset || read_udp(p, skb);
}

/* A packet with a routing header goes to another address than its client's first: such are left alone. */
static __always_inline _Bool read6(struct packet *p, const struct __sk_buff *skb)
{
	__u32 at = sizeof(struct ipv6hdr), next;
	struct ipv6hdr ip;

	if (bpf_skb_load_bytes_relative(skb, 0, &ip, sizeof(ip), BPF_HDR_START_NET))
		return 0;
	next = ip.nexthdr;
	for (int i = 0; i < MOST_HEADERS && next != IPPROTO_UDP; i++) {
		struct {
			__u8 next;
			__u8 length; /* beyond the first 8 bytes, in units of 8 */
			__be16 fragment;
			__be32 id;
		} header;

		if (next != NEXT_HOP_OPTIONS && next != NEXT_FRAGMENT && next != NEXT_DESTINATION_OPTIONS)
			return 0;
		if (bpf_skb_load_bytes_relative(skb, at, &header, sizeof(header), BPF_HDR_START_NET))
			return 0;
		at += 8;
		if (next == NEXT_FRAGMENT) {
			p->is.id = header.id;
			p->offset = bpf_ntohs(header.fragment) & IP6_OFFSET;
			p->more = bpf_ntohs(header.fragment) & IP6_MORE_FRAGMENTS;
			next = header.next;
			if (p->offset)
				break; /* what follows is not a header */
		} else {
			at += header.length * 8u;
			next = header.next;
		}
	}
	if (next != IPPROTO_UDP)
		return 0;
	p->is.family = AF_INET6;
	__builtin_memcpy(p->is.source, &ip.saddr, sizeof(p->is.source));
	__builtin_memcpy(p->is.target, &ip.daddr, sizeof(p->is.target));
	return place(p, skb, sizeof(ip) + bpf_ntohs(ip.payload_len), at) && (p->offset || read_udp(p, skb));
}

#endif
