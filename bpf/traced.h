/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Writes a decision down for those who watch. Part of dispatch.bpf.c in its build for them. */
#ifndef SKL_TRACED_H
#define SKL_TRACED_H

#include "bpf/maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, SKL_DECISIONS_BYTES);
} decisions SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct skl_watch);
} watch SEC(".maps");

/* The slots of the listener's first member and of the one that was chosen, in one argument. */
#define TRACED_SLOTS(first, member) ((first) | (member) << 16)

static __always_inline _Bool is_watched(const struct skl_watch *w, __u32 port, __u32 verdict)
{
	const __u64 *ports = verdict == SKL_UNCOVERED ? w->uncovered : w->covered;

	return ports[port >> 6 & 1023] >> (port & 63) & 1;
}

static __noinline int trace(struct bpf_sk_lookup *ctx, __u32 slots, __u32 binding, __u32 verdict, __s32 error)
{
	struct skl_decision *d;
	struct skl_watch *w;
	__u32 zero = 0;

	w = bpf_map_lookup_elem(&watch, &zero);
	if (!w || !is_watched(w, ctx->local_port & 0xffff, verdict))
		return 0;
	d = bpf_ringbuf_reserve(&decisions, sizeof(*d), 0);
	if (!d) {
		__sync_fetch_and_add(&w->lost, 1);
		return 0;
	}
	__builtin_memset(d, 0, sizeof(*d));
	d->time = bpf_ktime_get_boot_ns();
	d->port = ctx->local_port;
	d->client_port = bpf_ntohs((__u16)ctx->remote_port);
	d->slot = slots;
	d->member = slots >> 16;
	d->binding = binding;
	d->family = ctx->family;
	d->protocol = ctx->protocol;
	d->verdict = verdict;
	d->error = error;
	if (has_ingress_ifindex)
		d->ifindex = ctx->ingress_ifindex;
	if (ctx->family == AF_INET) {
		d->address[0] = ctx->local_ip4;
		d->client[0] = ctx->remote_ip4;
	} else {
		d->address[0] = ctx->local_ip6[0];
		d->address[1] = ctx->local_ip6[1];
		d->address[2] = ctx->local_ip6[2];
		d->address[3] = ctx->local_ip6[3];
		d->client[0] = ctx->remote_ip6[0];
		d->client[1] = ctx->remote_ip6[1];
		d->client[2] = ctx->remote_ip6[2];
		d->client[3] = ctx->remote_ip6[3];
	}
	/* who reads looks often enough: to wake him for each packet would make the packets wait */
	bpf_ringbuf_submit(d, BPF_RB_NO_WAKEUP);
	return 0;
}

#endif
