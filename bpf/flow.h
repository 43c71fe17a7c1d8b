/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the two programs share about UDP: dispatch remembers flows, reply finds them (see maps.h). */
#ifndef SKL_FLOW_H
#define SKL_FLOW_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>

#include "bpf/maps.h"

#define AF_INET		2
#define AF_INET6	10
#define TCP_ESTABLISHED 1 /* the state of a UDP socket, too, that is connected */

/* The inner map is only a pattern for the verifier, so it is small; the helper's has SKL_FLOWS entries. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 1);
	__type(key, __u32);
	__array(
		values, struct {
			__uint(type, BPF_MAP_TYPE_LRU_HASH);
			__uint(max_entries, 1);
			__uint(key_size, sizeof(struct skl_flow_key));
			__uint(value_size, sizeof(struct skl_flow));
		});
} flows SEC(".maps");

/* The map in it, or NULL. */
static __always_inline void *flow_map(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&flows, &zero);
}

/* Puts in what the socket is bound to. `bound` must be all zero. */
static __always_inline void flow_set_socket(struct skl_flow_key *key, const struct bpf_sock *sk)
{
	key->bound_port = bpf_htons((__u16)sk->src_port);
	if (sk->family == AF_INET6) {
		key->bound[0] = sk->src_ip6[0];
		key->bound[1] = sk->src_ip6[1];
		key->bound[2] = sk->src_ip6[2];
		key->bound[3] = sk->src_ip6[3];
	} else {
		key->bound[0] = sk->src_ip4;
	}
}

#endif
