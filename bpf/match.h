/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which prefix of a port's class an address matches, and so who gets the packet: a few nodes inline, longest
 * first, and the trie behind them. Included where `tables` and `trie` are declared.
 */
#ifndef SKL_MATCH_H
#define SKL_MATCH_H

#include <linux/bpf.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "bpf/maps.h"

/*
 * Keeps an index inside its array where the verifier can see it: without the
 * barrier the compiler bounds one copy and uses another. `size` is a power of 2.
 */
#define BOUNDED(index, size)                                                                                 \
	({                                                                                                   \
		__u64 bounded_ = (index);                                                                    \
		asm volatile("%0 &= %1" : "+r"(bounded_) : "i"((size)-1));                                   \
		bounded_;                                                                                    \
	})

/* Who gets the packet: the part that a node and a value of the trie have in common. */
#define TARGET(node) ((const struct skl_trie_value *)&(node)->slot)

#define SAME_PLACE(node)                                                                                     \
	_Static_assert(offsetof(struct node, binding) - offsetof(struct node, slot) ==                       \
			       offsetof(struct skl_trie_value, binding),                                     \
		       "TARGET() reads both alike")
SAME_PLACE(skl_node4);
SAME_PLACE(skl_node6);

/*
 * Node 0 and the nodes that stand for a class of the trie have no listener and
 * a prefix of length 0, which matches everything: so that a prefix that does
 * have a listener is reached without asking first what kind of node it is.
 */
static __always_inline const struct skl_trie_value *match4(__u64 node, __u32 ip)
{
	__u64 address = bpf_ntohl(ip);
	const struct skl_node4 *n;
	struct skl_trie_key key;

#pragma unroll
	for (int i = 0; i < SKL_INLINE; i++) {
		n = &tables.nodes4[BOUNDED(node, SKL_NODES)];
		barrier_var(n); /* one pointer for all fields: they are too far into tables for an offset */
		if ((n->address ^ address) >> (32ull - n->prefixlen) == 0)
			goto found;
		node = n->next;
	}
	return NULL;

found:
	if (n->slot != 0)
		return TARGET(n);
	if (!(n->flags & SKL_NODE_TRIE))
		return NULL; /* node 0, the end of the chain */
	key = (struct skl_trie_key){.prefixlen = 32 + 32, .class = node};
	*(__u32 *)key.address = ip;
	return bpf_map_lookup_elem(&trie, &key);
}

/* The last 8 bytes of the address; seldom needed, and dear: the kernel checks a pointer for each half. */
static __always_inline __u64 low6(const struct bpf_sk_lookup *ctx)
{
	__u32 c = ctx->local_ip6[2], d = ctx->local_ip6[3];

	return (__u64)bpf_ntohl(c) << 32 | bpf_ntohl(d);
}

static __always_inline _Bool same_prefix6(const struct skl_node6 *n, __u64 high,
					  const struct bpf_sk_lookup *ctx)
{
	__u64 bits = n->prefixlen;

	/* Shifts in two steps, because one of 64 would do nothing. */
	if (bits < 64)
		return (n->high ^ high) >> 1 >> (63 - bits) == 0;
	if (n->high != high)
		return 0;
	return bits == 64 || (n->low ^ low6(ctx)) >> (128 - bits) == 0;
}

static __always_inline const struct skl_trie_value *match6(__u64 node, const struct bpf_sk_lookup *ctx)
{
	__u32 a = ctx->local_ip6[0], b = ctx->local_ip6[1];
	__u64 high = (__u64)bpf_ntohl(a) << 32 | bpf_ntohl(b);
	const struct skl_node6 *n;
	struct skl_trie_key key;
	__u32 *address = (__u32 *)key.address;

	barrier_var(high);
#pragma unroll
	for (int i = 0; i < SKL_INLINE; i++) {
		n = &tables.nodes6[BOUNDED(node, SKL_NODES)];
		barrier_var(n);
		if (same_prefix6(n, high, ctx))
			goto found;
		node = n->next;
	}
	return NULL;

found:
	if (n->slot != 0)
		return TARGET(n);
	if (!(n->flags & SKL_NODE_TRIE))
		return NULL;
	key.prefixlen = 32 + 128;
	key.class = node | SKL_TRIE_CLASS6;
	address[0] = ctx->local_ip6[0];
	address[1] = ctx->local_ip6[1];
	address[2] = ctx->local_ip6[2];
	address[3] = ctx->local_ip6[3];
	return bpf_map_lookup_elem(&trie, &key);
}

#endif
