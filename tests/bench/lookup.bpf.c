// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What bpf/dispatch.bpf.c is measured against: nothing, the least that picks a socket, and two LPM lookups.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "tests/bench/lookup.h"

#define AF_INET 2

struct {
	__uint(type, BPF_MAP_TYPE_SOCKMAP);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, __u64);
} sockets SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LPM_TRIE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1000000);
	__type(key, struct lookup_key);
	__type(value, struct lookup_value);
} bindings SEC(".maps");

struct counters {
	__u64 lookups;
	__u64 misses;
	__u64 errors;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1024);
	__type(key, __u32);
	__type(value, struct counters);
} counters SEC(".maps");

SEC("sk_lookup")
int empty(struct bpf_sk_lookup *ctx)
{
	(void)ctx;
	return SK_PASS;
}

SEC("sk_lookup")
int least(struct bpf_sk_lookup *ctx)
{
	__u32 slot = 0;
	struct bpf_sock *sk = bpf_map_lookup_elem(&sockets, &slot);

	if (!sk)
		return SK_PASS;
	bpf_sk_assign(ctx, sk, 0);
	bpf_sk_release(sk);
	return SK_PASS;
}

SEC("sk_lookup")
int two_tries(struct bpf_sk_lookup *ctx)
{
	struct lookup_key key = {
		.prefixlen = 32 + 128,
		.protocol = ctx->protocol,
		.port = ctx->local_port,
	};
	const struct lookup_value *exact, *any, *best;
	struct counters *count;
	__u32 destination;
	struct bpf_sock *sk;

	if (ctx->family == AF_INET) {
		key.address[2] = bpf_htonl(0xffff);
		key.address[3] = ctx->local_ip4;
		asm volatile("" ::: "memory"); /* else both branches load through one moved ctx: refused */
	} else {
		key.address[0] = ctx->local_ip6[0];
		key.address[1] = ctx->local_ip6[1];
		key.address[2] = ctx->local_ip6[2];
		key.address[3] = ctx->local_ip6[3];
	}
	exact = bpf_map_lookup_elem(&bindings, &key);
	key.port = 0;
	any = bpf_map_lookup_elem(&bindings, &key);
	best = exact;
	if (!exact || (any && any->prefixlen > exact->prefixlen))
		best = any;
	if (!best)
		return SK_PASS;
	destination = best->destination;

	count = bpf_map_lookup_elem(&counters, &destination);
	if (!count)
		return SK_DROP;
	count->lookups++;
	sk = bpf_map_lookup_elem(&sockets, &destination);
	if (!sk) {
		count->misses++;
		return SK_DROP;
	}
	if (bpf_sk_assign(ctx, sk, 0))
		count->errors++;
	bpf_sk_release(sk);
	return SK_PASS;
}

char _license[] SEC("license") = "Dual BSD/GPL";
