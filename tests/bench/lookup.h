/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What tests/bench/lookup.c writes and the programs to compare with read. */
#ifndef SKL_BENCH_LOOKUP_H
#define SKL_BENCH_LOOKUP_H

#include <linux/types.h>

/* Of the trie: IPv4 is mapped into IPv6, addresses are in network byte order, the port is in host byte order.
 */
struct lookup_key {
	__u32 prefixlen; /* 32 + the prefix's own, in bits of an IPv6 address */
	__u16 protocol;
	__u16 port; /* 0 stands for every port */
	__u32 address[4];
};

struct lookup_value {
	__u32 destination; /* slot in the SOCKMAP and index of the counters */
	__u32 prefixlen;
};

#endif
