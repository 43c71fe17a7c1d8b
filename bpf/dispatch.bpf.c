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
		__u32 bounded_ = (index);                                                                    \
		asm volatile("%0 &= %1" : "+r"(bounded_) : "i"((size)-1));                                   \
		bounded_;                                                                                    \
	})

struct verdict {
	__u32 slot;
	__u32 binding;
};

static __always_inline void count_event(__u32 binding, __s32 reason)
{
	struct skl_event key = {.binding = binding, .reason = reason};
	__u64 one = 1, *value = bpf_map_lookup_elem(&events, &key);

	if (!value) {
		if (!bpf_map_update_elem(&events, &key, &one, BPF_NOEXIST))
			return;
		value = bpf_map_lookup_elem(&events, &key);
	}
	if (value)
		__sync_fetch_and_add(value, 1);
}

/* May this socket still take what it was claimed for? The kernel removes a closed socket from the map by
 * itself. */
static __always_inline _Bool alive(const struct bpf_sock *sk)
{
	/* shutdown() leaves it there: choosing it would swallow SYNs without an answer */
	if (sk->protocol == IPPROTO_TCP)
		return sk->state == TCP_LISTEN;
	/* the program connected it: from now on it belongs to that one peer */
	return sk->state != TCP_ESTABLISHED;
}

static __noinline int find_in_trie(struct skl_trie_key *key, struct verdict *found)
{
	const struct skl_trie_value *value;

	if (!key || !found)
		return 0;
	value = bpf_map_lookup_elem(&trie, key);
	if (!value)
		return 0;
	found->slot = value->slot;
	found->binding = value->binding;
	return 1;
}

static __always_inline _Bool match4(__u32 node, __u32 address, struct verdict *found)
{
	for (int i = 0; i < SKL_INLINE; i++) {
		const struct skl_node4 *n;

		if (node == 0)
			return 0;
		n = &tables.nodes4[BOUNDED(node, SKL_NODES)];
		if (n->flags & SKL_NODE_TRIE) {
			struct skl_trie_key key = {.prefixlen = 32 + 32, .class = node};

			*(__u32 *)key.address = bpf_htonl(address);
			return find_in_trie(&key, found);
		}
		if ((__u64)(n->address ^ address) >> (32 - n->prefixlen) == 0) {
			found->slot = n->slot;
			found->binding = n->binding;
			return 1;
		}
		node = n->next;
	}
	return 0;
}

/* Do the first `bits` bits of two halves of an address agree? bits is 0 to 128. */
static __always_inline _Bool same_prefix6(const struct skl_node6 *n, __u64 high, __u64 low)
{
	__u64 differ_high = n->high ^ high, differ_low = n->low ^ low;
	__u8 bits = n->prefixlen;

	if (bits == 0)
		return 1;
	if (bits <= 64)
		return differ_high >> (64 - bits) == 0;
	return differ_high == 0 && differ_low >> (128 - bits) == 0;
}

static __always_inline _Bool match6(__u32 node, struct bpf_sk_lookup *ctx, struct verdict *found)
{
	__u32 a = ctx->local_ip6[0], b = ctx->local_ip6[1], c = ctx->local_ip6[2], d = ctx->local_ip6[3];
	__u64 high = (__u64)bpf_ntohl(a) << 32 | bpf_ntohl(b);
	__u64 low = (__u64)bpf_ntohl(c) << 32 | bpf_ntohl(d);

	for (int i = 0; i < SKL_INLINE; i++) {
		const struct skl_node6 *n;

		if (node == 0)
			return 0;
		n = &tables.nodes6[BOUNDED(node, SKL_NODES)];
		if (n->flags & SKL_NODE_TRIE) {
			struct skl_trie_key key = {.prefixlen = 32 + 128, .class = node | SKL_TRIE_CLASS6};
			__u32 *address = (__u32 *)key.address;

			address[0] = a;
			address[1] = b;
			address[2] = c;
			address[3] = d;
			return find_in_trie(&key, found);
		}
		if (same_prefix6(n, high, low)) {
			found->slot = n->slot;
			found->binding = n->binding;
			return 1;
		}
		node = n->next;
	}
	return 0;
}

SEC("sk_lookup")
int skl_dispatch(struct bpf_sk_lookup *ctx)
{
	const struct skl_member *member;
	struct verdict found = {};
	__u64 *count;
	__u32 word;

	word = tables.words[ctx->protocol == IPPROTO_UDP][ctx->local_port & 0xffff];
	if (!word)
		return SK_PASS;
	if (ctx->family == AF_INET) {
		if (!match4(SKL_WORD_NODE4(word), bpf_ntohl(ctx->local_ip4), &found))
			return SK_PASS;
	} else {
		if (!match6(SKL_WORD_NODE6(word), ctx, &found))
			return SK_PASS;
	}
	member = &tables.members[BOUNDED(found.slot, SKL_SLOTS)];
	/* A listener bound to a device is claimed for that device: elsewhere this rule does not exist. */
	if (has_ingress_ifindex && member->ifindex != 0 && member->ifindex != ctx->ingress_ifindex)
		return SK_PASS;

	count = bpf_map_lookup_elem(&lookups, &found.binding);
	if (count)
		*count += 1; /* per CPU, and not preempted by another run of itself */

	for (int i = 0; i < SKL_MEMBERS; i++) {
		struct bpf_sock *sk;
		long err;

		sk = bpf_map_lookup_elem(&sockets, &found.slot);
		if (sk) {
			if (alive(sk)) {
				/* flags 0: the kernel then balances within the SO_REUSEPORT group */
				err = bpf_sk_assign(ctx, sk, 0);
				bpf_sk_release(sk);
				if (err)
					count_event(found.binding, err);
				return SK_PASS;
			}
			bpf_sk_release(sk);
		}
		found.slot = member->next;
		if (found.slot == 0)
			break;
		member = &tables.members[BOUNDED(found.slot, SKL_SLOTS)];
	}
	count_event(found.binding, 0);
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
