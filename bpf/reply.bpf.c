// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What goes out: UDP answers leave from the address and port to which their
 * client sent.
 *
 * The kernel runs this (tc, direct action) for what leaves by any interface of
 * the namespace. Every verdict is TC_ACT_UNSPEC: it says nothing about the
 * packet, so the filters behind this one see it as if this one were not there.
 *
 * Nothing here writes through a packet pointer. For a program that does, the
 * kernel unshares every packet before it runs, TCP's too, which are always
 * shared with the socket's retransmit queue. Helpers unshare what they change.
 */
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/pkt_cls.h>
#include <linux/udp.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "bpf/flow.h"
#include "bpf/packet.h"

#define SOCK_DGRAM 2

/* The ones of dispatch: the helper gives this object the same map. */
struct skl_tables tables;

/*
 * Only a datagram's first fragment has the ports. What becomes of its source is
 * remembered here for those that follow it, which they do at once; with the
 * last of them it is forgotten.
 */
struct fragment {
	__u32 address[4];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct fragment_key);
	__type(value, struct fragment);
} fragments SEC(".maps");

static __always_inline _Bool same_address(const __u32 *a, const __u32 *b)
{
	return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

/*
 * Where this client sent what the socket received. A socket that was bound to
 * any address has one of its own once its program has connected it to the
 * client; what was remembered, was before that.
 */
static __always_inline struct skl_flow *find_flow(const struct packet *p, const struct bpf_sock *sk,
						  __be16 client_port)
{
	struct skl_flow_key key = {.client_port = client_port, .family = p->is.family};
	void *map = flow_map();
	struct skl_flow *flow;

	if (!map)
		return NULL;
	__builtin_memcpy(key.client, p->is.target, sizeof(key.client));
	flow_set_socket(&key, sk);
	flow = bpf_map_lookup_elem(map, &key);
	if (flow || sk->state != TCP_ESTABLISHED)
		return flow;
	__builtin_memset(key.bound, 0, sizeof(key.bound));
	return bpf_map_lookup_elem(map, &key);
}

static __always_inline __u16 add_to_sum(__u16 sum, __u32 difference)
{
	__u64 wide = (__u64)sum + difference;

	wide = (wide & 0xffff) + (wide >> 16 & 0xffff) + (wide >> 32);
	wide = (wide & 0xffff) + (wide >> 16);
	return (wide & 0xffff) + (wide >> 16);
}

static __always_inline __u32 difference_to(const struct packet *p, const __u32 *address)
{
	return bpf_csum_diff((__u32 *)p->is.source, sizeof(p->is.source), (__u32 *)address,
			     sizeof(p->is.source), 0);
}

/* `difference` is that of the addresses' sums. */
static __always_inline void put_address(struct __sk_buff *skb, const struct packet *p, const __u32 *address,
					__u32 difference)
{
	struct {
		__u16 checksum;
		__u16 address[2];
	} v4;

	if (p->is.family == AF_INET6) {
		bpf_skb_store_bytes(skb, p->network + offsetof(struct ipv6hdr, saddr), address, 16, 0);
		return;
	}
	v4.checksum = ~add_to_sum(~p->checksum, difference);
	__builtin_memcpy(v4.address, address, sizeof(v4.address));
	bpf_skb_store_bytes(skb, p->network + offsetof(struct iphdr, check), &v4, sizeof(v4), 0);
}

/*
 * What the kernel will cut into segments has in place of a checksum the sum of
 * the pseudo header, uninverted, with or without CHECKSUM_PARTIAL (since 6.11
 * also where the device can do no checksums). The helper knows only the former.
 */
static __always_inline long sum_segments(struct __sk_buff *skb, __u32 at, __u16 sum, __u32 difference)
{
	sum = add_to_sum(sum, difference);
	return bpf_skb_store_bytes(skb, at, &sum, sizeof(sum), 0);
}

/* The address is in the UDP checksum, too. One of 0 is none: BPF_F_MARK_MANGLED_0 leaves it so. */
static __always_inline long sum_source(struct __sk_buff *skb, const struct packet *p, __be16 port,
				       __u32 difference)
{
	__u32 at = p->transport + offsetof(struct udphdr, check);
	long err = 0;

	if (skb->gso_size)
		return sum_segments(skb, at, p->udp.check, difference);
	if (port != p->udp.source)
		err = bpf_l4_csum_replace(skb, at, p->udp.source, port, BPF_F_MARK_MANGLED_0 | sizeof(port));
	if (!err && difference != 0)
		err = bpf_l4_csum_replace(skb, at, 0, difference, BPF_F_PSEUDO_HDR | BPF_F_MARK_MANGLED_0);
	return err;
}

/*
 * The first change may fail, for want of memory to unshare the packet: then all
 * of it is left as it is. It is the one that reaches farthest, so no other does.
 */
static __always_inline void put_source(struct __sk_buff *skb, const struct packet *p,
				       const struct skl_flow *flow)
{
	_Bool other_address = !same_address(flow->address, p->is.source);
	__u32 difference = other_address ? difference_to(p, flow->address) : 0;
	__be16 port = flow->port;

	if (sum_source(skb, p, port, difference))
		return;
	if (port != p->udp.source)
		bpf_skb_store_bytes(skb, p->transport + offsetof(struct udphdr, source), &port, sizeof(port),
				    0);
	if (!other_address)
		return;
	put_address(skb, p, flow->address, difference);
	if (p->more)
		bpf_map_update_elem(&fragments, &p->is, flow->address, BPF_ANY);
}

/*
 * Has the packet its socket's own port? Not, if it is what a tunnel made of the
 * socket's packet, or if it has been here, on a device on top of this one.
 */
static __always_inline int answer(struct __sk_buff *skb, const struct packet *p, const struct bpf_sock *sk)
{
	struct skl_flow *flow, now; /* a copy, because another CPU may use its place for another flow */

	if (p->more) /* of an earlier datagram with this number that was never finished */
		bpf_map_delete_elem(&fragments, &p->is);
	if (p->udp.source != bpf_htons((__u16)sk->src_port))
		return 0;
	flow = find_flow(p, sk, p->udp.dest);
	if (!flow)
		return 0;
	now = *flow;
	put_source(skb, p, &now);
	return 0;
}

static __always_inline int follow_first_fragment(struct __sk_buff *skb, const struct packet *p)
{
	struct fragment *f = bpf_map_lookup_elem(&fragments, &p->is), now;

	if (!f)
		return 0;
	now = *f;
	put_address(skb, p, now.address, difference_to(p, now.address));
	if (!p->more)
		bpf_map_delete_elem(&fragments, &p->is);
	return 0;
}

/* Not inlined, so that other protocols' packets do not pay for its registers and its stack. */
static __noinline int reply(struct __sk_buff *skb, const struct bpf_sock *sk)
{
	struct packet p = {0};
	_Bool udp;

	if (skb->ingress_ifindex != 0) /* redirected, and the socket may be another namespace's */
		return 0;
	if (skb->protocol == bpf_htons(ETH_P_IP))
		udp = read4(&p, skb);
	else
		udp = skb->protocol == bpf_htons(ETH_P_IPV6) && read6(&p, skb);
	if (!udp)
		return 0;
	if (p.offset)
		return follow_first_fragment(skb, &p);
	return answer(skb, &p, sk);
}

/*
 * What a listener is bound to is in the tables itself (SKL_OWN), so a port that
 * is not there has none. The port can be read of every kind of socket: most
 * packets, clients' questions among them, are done before any call is made, and
 * nearly all without the word of their port, which would seldom be in the cache.
 */
static __always_inline _Bool has_listener(const struct bpf_sock *sk)
{
	__u32 port = sk->src_port & 0xffff, bit = SKL_UDP_BIT(port);

	return (tables.udp_ports[bit / 32] >> bit % 32 & 1) && tables.words[SKL_UDP][port] != 0;
}

SEC("tc")
int skl_reply(struct __sk_buff *skb)
{
	struct bpf_sock *sk = skb->sk;

	if (!sk || !has_listener(sk))
		return TC_ACT_UNSPEC;
	sk = bpf_sk_fullsock(sk);
	if (sk && sk->protocol == IPPROTO_UDP && sk->type == SOCK_DGRAM)
		reply(skb, sk);
	return TC_ACT_UNSPEC;
}

char _license[] SEC("license") = "Dual BSD/GPL";
