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

#include "bpf/flow.h"
#include "bpf/maps.h"

#define TCP_LISTEN 10

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

#include "bpf/match.h"

/* What only the build for watchers has: traced.bpf.c. */
#ifdef SKL_TRACED
#define TRACED(...) __VA_ARGS__
#include "bpf/traced.h"
#else
#define TRACED(...)
#endif

/*
 * Not inlined, like try_others(): what happens seldom shall not cost the usual
 * way through skl_dispatch() registers, which are saved at every entry.
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
 * closed socket from the map by itself, but not one that was shutdown(), which
 * accepts nothing. A UDP socket that its program has connected belongs to that
 * one peer from then on.
 */
static __always_inline _Bool alive(const struct bpf_sock *sk)
{
	return sk->state == TCP_LISTEN || (sk->protocol == IPPROTO_UDP && sk->state != TCP_ESTABLISHED);
}

static __always_inline void count_lookup(__u32 binding)
{
	__u64 *count = bpf_map_lookup_elem(&lookups, &binding);

	if (count)
		*count += 1; /* per CPU, and not preempted by another run of itself */
}

/* A listener bound to a device is claimed for that device: elsewhere its rules do not exist. */
static __always_inline _Bool elsewhere(const struct bpf_sk_lookup *ctx, __u32 ifindex)
{
	return ifindex != 0 && has_ingress_ifindex && ifindex != ctx->ingress_ifindex;
}

/* Gives `sk` away. */
static __always_inline void assign(struct bpf_sk_lookup *ctx, struct bpf_sock *sk,
				   __u32 binding TRACED(, __u32 slots))
{
	/* flags 0: the kernel then balances within the SO_REUSEPORT group */
	long err = bpf_sk_assign(ctx, sk, 0);

	bpf_sk_release(sk);
	if (err)
		count_event(binding, err);
	TRACED(trace(ctx, slots, binding, err ? SKL_REFUSED : SKL_GIVEN, err);)
}

/* The client, where it sent to, and who gets it. */
static __always_inline void read_flow(const struct bpf_sk_lookup *ctx, const struct bpf_sock *sk,
				      struct skl_flow_key *key, struct skl_flow *flow)
{
	key->client_port = ctx->remote_port;
	key->family = ctx->family;
	flow->port = bpf_htons((__u16)ctx->local_port);
	if (ctx->family == AF_INET) {
		key->client[0] = ctx->remote_ip4;
		flow->address[0] = ctx->local_ip4;
	} else {
		key->client[0] = ctx->remote_ip6[0];
		key->client[1] = ctx->remote_ip6[1];
		key->client[2] = ctx->remote_ip6[2];
		key->client[3] = ctx->remote_ip6[3];
		flow->address[0] = ctx->local_ip6[0];
		flow->address[1] = ctx->local_ip6[1];
		flow->address[2] = ctx->local_ip6[2];
		flow->address[3] = ctx->local_ip6[3];
	}
	flow_set_socket(key, sk);
}

static __always_inline _Bool same_flow(const struct skl_flow *a, const struct skl_flow *b)
{
	return a->address[0] == b->address[0] && a->address[1] == b->address[1] &&
	       a->address[2] == b->address[2] && a->address[3] == b->address[3] && a->port == b->port;
}

/*
 * As assign(), and remembers where the client sent, for the reply program. A
 * client seldom changes that, and to find it remembered is enough to keep it.
 */
static __noinline int assign_udp(struct bpf_sk_lookup *ctx, struct bpf_sock *sk,
				 __u32 binding TRACED(, __u32 slots))
{
	struct skl_flow_key key = {0};
	struct skl_flow now = {0}, *before;
	void *map = flow_map();

	if (map) {
		read_flow(ctx, sk, &key, &now);
		before = bpf_map_lookup_elem(map, &key);
		if (binding == SKL_OWN) {
			if (before)
				bpf_map_delete_elem(map, &key);
		} else if (!before || !same_flow(before, &now)) {
			bpf_map_update_elem(map, &key, &now, BPF_ANY);
		}
	}
	if (binding == SKL_OWN)
		bpf_sk_release(sk);
	else
		assign(ctx, sk, binding TRACED(, slots));
	return 0;
}

/* The listener's first member does not answer any more. */
static __noinline int try_others(struct bpf_sk_lookup *ctx, __u32 slot, __u32 binding)
{
	const struct skl_member *member = &tables.members[BOUNDED(slot, SKL_SLOTS)];
	TRACED(__u32 first = slot;)

	if (elsewhere(ctx, member->ifindex)) {
		TRACED(trace(ctx, TRACED_SLOTS(first, 0), binding, SKL_ELSEWHERE, 0);)
		return 0;
	}
	if (binding != SKL_OWN)
		count_lookup(binding);
	for (int i = 1; i < SKL_MEMBERS; i++) {
		struct bpf_sock *sk;

		slot = member->next;
		if (slot == 0)
			break;
		member = &tables.members[BOUNDED(slot, SKL_SLOTS)];
		sk = bpf_map_lookup_elem(&sockets, &slot);
		if (!sk)
			continue;
		if (alive(sk)) {
			if (sk->state == TCP_LISTEN)
				assign(ctx, sk, binding TRACED(, TRACED_SLOTS(first, slot)));
			else
				assign_udp(ctx, sk, binding TRACED(, TRACED_SLOTS(first, slot)));
			return 0;
		}
		bpf_sk_release(sk);
	}
	TRACED(trace(ctx, TRACED_SLOTS(first, 0), binding, binding == SKL_OWN ? SKL_OWN_PORT : SKL_GONE, 0);)
	return binding == SKL_OWN ? 0 : count_event(binding, 0);
}

SEC("sk_lookup")
int skl_dispatch(struct bpf_sk_lookup *ctx)
{
	__u32 word = tables.words[ctx->protocol == IPPROTO_UDP][ctx->local_port & 0xffff];
	const struct skl_trie_value *target;
	__u32 slot, binding;
	struct bpf_sock *sk;

	if (word == 0) {
		TRACED(trace(ctx, 0, 0, SKL_UNCOVERED, 0);)
		return SK_PASS;
	}
	if (ctx->family == AF_INET)
		target = match4(SKL_WORD_NODE4(word), ctx->local_ip4);
	else
		target = match6(SKL_WORD_NODE6(word), ctx);
	if (!target) {
		TRACED(trace(ctx, 0, 0, SKL_NO_PREFIX, 0);)
		return SK_PASS;
	}
	slot = target->slot;
	binding = target->binding;

	sk = bpf_map_lookup_elem(&sockets, &slot);
	if (!sk)
		goto others;
	if (!alive(sk)) {
		bpf_sk_release(sk);
		goto others;
	}
	if (elsewhere(ctx, sk->bound_dev_if)) { /* the socket is in the cache by now, its member may not be */
		bpf_sk_release(sk);
		TRACED(trace(ctx, TRACED_SLOTS(slot, 0), binding, SKL_ELSEWHERE, 0);)
		return SK_PASS;
	}
	if (sk->state == TCP_LISTEN) {
		assign(ctx, sk, binding TRACED(, TRACED_SLOTS(slot, slot)));
	} else {
		assign_udp(ctx, sk, binding TRACED(, TRACED_SLOTS(slot, slot)));
		if (binding == SKL_OWN) {
			TRACED(trace(ctx, TRACED_SLOTS(slot, slot), binding, SKL_OWN_PORT, 0);)
			return SK_PASS;
		}
	}
	count_lookup(binding);
	return SK_PASS;

others:
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
