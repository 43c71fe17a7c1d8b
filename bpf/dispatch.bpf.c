// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What comes in: picks the socket for a packet that opens a connection.
 *
 * The kernel runs this for TCP segments without an established or TIME_WAIT
 * match and for UDP without a connected match. Every verdict is SK_PASS: where
 * no rule matches, or the rule's listener is gone, the ordinary lookup goes on.
 * A stale rule must not turn into a black hole.
 */
#include <linux/bpf.h>
#include <linux/in.h>
#include <stddef.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "bpf/maps.h"

#define AF_INET		2
#define TCP_LISTEN	10
#define TCP_ESTABLISHED 1

struct skl_tables tables; /* all there is in .bss: libbpf makes it a memory-mapped map of one element */

/* Kernels before 5.17 have no ingress_ifindex; the helper clears this there and refuses such listeners. */
const volatile _Bool has_ingress_ifindex = 1;

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, SKL_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 65536);
	__type(key, struct skl_trie_key);
	__type(value, struct skl_trie_value);
} trie SEC(".maps");

/* Lookups by binding. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SKL_BINDINGS);
	__type(key, __u32);
	__type(value, __u64);
} lookups SEC(".maps");

/* Only what happens takes memory here, and little should. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1024);
	__type(key, struct skl_event);
	__type(value, __u64);
} events SEC(".maps");

/* For the next helper only. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SKL_SLOTS);
	__type(key, __u32);
	__type(value, struct skl_member_record);
} member_records SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, SKL_BINDINGS);
	__type(key, __u32);
	__type(value, struct skl_binding_record);
} binding_records SEC(".maps");

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
 * Not inlined, like try_others(): what happens seldom shall not cost the usual
 * way through skl_dispatch() registers, which the kernel saves at every entry.
 */
static __noinline int count_event(__u32 binding, __s32 reason)
{
	struct skl_event key = {.binding = binding, .reason = reason};
	__u64 one = 1, *value = bpf_map_lookup_elem(&events, &key);

	if (!value) {
		if (!bpf_map_update_elem(&events, &key, &one, BPF_NOEXIST))
			return 0;
		value = bpf_map_lookup_elem(&events, &key);
	}
	if (value)
		__sync_fetch_and_add(value, 1);
	return 0;
}

/*
 * May this socket still take what it was claimed for? The kernel removes a
 * closed socket from the map by itself, but not one that was shutdown():
 * choosing that would swallow SYNs without an answer. A UDP socket that its
 * program has connected belongs to that one peer from then on.
 */
static __always_inline _Bool alive(const struct bpf_sock *sk)
{
	return sk->state == TCP_LISTEN || (sk->protocol == IPPROTO_UDP && sk->state != TCP_ESTABLISHED);
}

static __always_inline const struct skl_trie_value *match4(__u64 node, __u32 ip)
{
	struct skl_trie_key key;
	__u64 address = bpf_ntohl(ip);

#pragma unroll
	for (int i = 0; i < SKL_INLINE; i++) {
		const struct skl_node4 *n = &tables.nodes4[BOUNDED(node, SKL_NODES)];

		barrier_var(n); /* one pointer for all fields: they are too far into tables for an offset */
		if (n->flags & SKL_NODE_TRIE)
			goto in_trie;
		if ((n->address ^ address) >> (32ull - n->prefixlen) == 0)
			return TARGET(n);
		node = n->next;
		if (node == 0)
			break;
	}
	return NULL;

in_trie:
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

	if (bits < 64)
		return (n->high ^ high) >> 1 >> (63 - bits) ==
		       0; /* in two steps: one of 64 would do nothing */
	if (n->high != high)
		return 0;
	return bits == 64 || (n->low ^ low6(ctx)) >> (128 - bits) == 0;
}

static __always_inline const struct skl_trie_value *match6(__u64 node, const struct bpf_sk_lookup *ctx)
{
	__u32 a = ctx->local_ip6[0], b = ctx->local_ip6[1];
	__u64 high = (__u64)bpf_ntohl(a) << 32 | bpf_ntohl(b);
	struct skl_trie_key key;
	__u32 *address = (__u32 *)key.address;

	barrier_var(high);
#pragma unroll
	for (int i = 0; i < SKL_INLINE; i++) {
		const struct skl_node6 *n = &tables.nodes6[BOUNDED(node, SKL_NODES)];

		barrier_var(n);
		if (n->flags & SKL_NODE_TRIE)
			goto in_trie;
		if (same_prefix6(n, high, ctx))
			return TARGET(n);
		node = n->next;
		if (node == 0)
			break;
	}
	return NULL;

in_trie:
	key.prefixlen = 32 + 128;
	key.class = node | SKL_TRIE_CLASS6;
	address[0] = ctx->local_ip6[0];
	address[1] = ctx->local_ip6[1];
	address[2] = ctx->local_ip6[2];
	address[3] = ctx->local_ip6[3];
	return bpf_map_lookup_elem(&trie, &key);
}

/* Picks the socket in this slot, unless there is none that would answer. Returns whether there was one. */
static __always_inline _Bool try_member(struct bpf_sk_lookup *ctx, const __u32 *slot, const __u32 *binding)
{
	struct bpf_sock *sk = bpf_map_lookup_elem(&sockets, slot);
	long err;

	if (!sk)
		return 0;
	if (!alive(sk)) {
		bpf_sk_release(sk);
		return 0;
	}
	/* flags 0: the kernel then balances within the SO_REUSEPORT group */
	err = bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	if (err)
		count_event(*binding, err);
	return 1;
}

/* The listener's first member does not answer any more. */
static __noinline int try_others(struct bpf_sk_lookup *ctx, __u32 slot, __u32 binding)
{
	for (int i = 1; i < SKL_MEMBERS; i++) {
		slot = tables.members[BOUNDED(slot, SKL_SLOTS)].next;
		if (slot == 0)
			break;
		if (try_member(ctx, &slot, &binding))
			return 0;
	}
	return count_event(binding, 0);
}

SEC("sk_lookup")
int skl_dispatch(struct bpf_sk_lookup *ctx)
{
	__u32 word = tables.words[ctx->protocol == IPPROTO_UDP][ctx->local_port & 0xffff];
	const struct skl_trie_value *target;
	const struct skl_member *member;
	__u32 slot, binding, node;
	__u64 *count;

	if (word == 0)
		return SK_PASS;
	if (ctx->family == AF_INET) {
		node = SKL_WORD_NODE4(word);
		if (node == 0)
			return SK_PASS;
		target = match4(node, ctx->local_ip4);
	} else {
		node = SKL_WORD_NODE6(word);
		if (node == 0)
			return SK_PASS;
		target = match6(node, ctx);
	}
	if (!target)
		return SK_PASS;
	slot = target->slot;
	binding = target->binding;

	/* A listener bound to a device is claimed for that device: elsewhere this rule does not exist. */
	member = &tables.members[BOUNDED(slot, SKL_SLOTS)];
	if (member->ifindex != 0 && has_ingress_ifindex && member->ifindex != ctx->ingress_ifindex)
		return SK_PASS;

	count = bpf_map_lookup_elem(&lookups, &binding);
	if (count)
		*count += 1; /* per CPU, and not preempted by another run of itself */

	if (!try_member(ctx, &slot, &binding))
		try_others(ctx, slot, binding);
	return SK_PASS;
}

/*
 * For the helper, by PROG_TEST_RUN only: is the socket in slot `local_port`
 * alive, in the very sense in which skl_dispatch means it? SK_PASS or SK_DROP.
 */
SEC("sk_lookup")
int skl_probe(struct bpf_sk_lookup *ctx)
{
	__u32 slot = ctx->local_port;
	struct bpf_sock *sk = bpf_map_lookup_elem(&sockets, &slot);
	_Bool yes;

	if (!sk)
		return SK_DROP;
	yes = alive(sk);
	bpf_sk_release(sk);
	return yes ? SK_PASS : SK_DROP;
}

char _license[] SEC("license") = "Dual BSD/GPL";
