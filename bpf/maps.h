/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The contract between the helper, which writes, and the BPF programs, which
 * read: one set of maps for each network namespace.
 *
 * A lookup goes  port -> word -> node -> slot -> socket :
 *
 *   word   one for each protocol and port; 0 means that the port is not ours.
 *          Its low half is the first node for IPv4, its high half for IPv6.
 *   node   one prefix of that port, with the listener that gets it; nodes of
 *          a port are chained, longest prefix first, so the first match wins.
 *   slot   where in the SOCKMAP the listener's first socket is; further
 *          sockets of the same listener (SO_REUSEPORT) are chained to it.
 *
 * Words, nodes and member links live in one memory-mapped array (`tables`),
 * which the helper writes without system calls. A node that a word can reach
 * is never changed: the helper writes new ones, then the word. What is no
 * longer reached is used again only after an RCU grace period.
 *
 * Addresses and ports are in host byte order unless said otherwise.
 */
#ifndef SKL_MAPS_H
#define SKL_MAPS_H

#include <linux/types.h>

#ifndef SKL_LAYOUT
#define SKL_LAYOUT 1 /* raise with every change that an older program or helper cannot read */
#endif
#define SKL_PORTS    65536
#define SKL_NODES    16384 /* for each family; 0 stands for none and stays all zero */
#define SKL_SLOTS    8192  /* sockets; 0 stands for none */
#define SKL_BINDINGS 16384 /* 0 stands for what a UDP listener has by its own bind(): SKL_OWN */
#define SKL_MEMBERS  128   /* most sockets of one listener */
#define SKL_INLINE   8	   /* longest chain; a port with more prefixes has them in the trie */

#define SKL_TCP 0 /* first index of words */
#define SKL_UDP 1

/*
 * binding of a node or of a value in the trie: the address and port that a UDP
 * listener is bound to. It gives no socket, the ordinary lookup does that; it
 * only forgets what is remembered of the client, who now uses this port.
 */
#define SKL_OWN 0

/* node.flags */
#define SKL_NODE_TRIE 1 /* this node stands for a class of the trie, its own number; all else in it is 0 */

struct skl_node4 {
	__u32 address;
	__u16 slot;
	__u16 binding;
	__u16 next; /* node, or 0 */
	__u8 prefixlen;
	__u8 flags;
};

struct skl_node6 {
	__u64 high; /* first 8 bytes of the address */
	__u64 low;
	__u16 slot;
	__u16 binding;
	__u16 next;
	__u8 prefixlen;
	__u8 flags;
};

/* One socket of a listener. A listener is known by the slot of its first member, also when that one died. */
struct skl_member {
	__u32 ifindex; /* only packets that arrive on this device, or 0 for all */
	__u16 next;    /* slot of the next member, or 0 */
	__u16 reserved;
};

struct skl_tables {
	__u32 layout;		   /* SKL_LAYOUT */
	__u32 has_ingress_ifindex; /* the program was loaded by a kernel that knows it */
	__u64 last_id;		   /* the highest that a listener or binding was given */
	__u64 unfinished; /* 0, or the first id of a claim that is not done yet: the next helper undoes it */
	__u32 reserved[2];
	__u32 udp_ports[8]; /* SKL_UDP_BIT() of each port that a UDP listener is bound to */
	__u32 words[2][SKL_PORTS];
	struct skl_node4 nodes4[SKL_NODES];
	struct skl_node6 nodes6[SKL_NODES];
	struct skl_member members[SKL_SLOTS];
};

/* Bits of udp_ports, which ports share. All are in one cache line, unlike the words of clients' ports. */
#define SKL_UDP_BITS	  256
#define SKL_UDP_BIT(port) ((port) & (SKL_UDP_BITS - 1))

#define SKL_WORD(node4, node6) ((__u32)(node4) | (__u32)(node6) << 16)
#define SKL_WORD_NODE4(word)   ((word)&0xffff)
#define SKL_WORD_NODE6(word)   ((word) >> 16)

/* Key of the trie. `class` is a node number, with bit 31 set for IPv6; the address is in network byte order.
 */
struct skl_trie_key {
	__u32 prefixlen; /* of class and address together, in bits: 32 + the prefix's own */
	__u32 class;
	__u8 address[16];
};

#define SKL_TRIE_CLASS6 0x80000000u

struct skl_trie_value {
	__u16 slot;
	__u16 binding;
};

/*
 * What went otherwise than it should, counted by binding and reason: 0, the
 * listener was gone; else the negative errno with which bpf_sk_assign() refused.
 */
struct skl_event {
	__u32 binding;
	__s32 reason;
};

/*
 * UDP. What comes in is steered, what goes out would still come from the port
 * that the socket is bound to, and the client would not take it. So dispatch
 * remembers, for each socket and client, which address and port the client
 * used, and reply puts these into what goes out to it.
 *
 * A socket is known by what it is bound to: both programs can read that. An
 * IPv4 packet's addresses are in the first word, the others are 0; a socket of
 * AF_INET6 always has four, whatever packets it gets. Network byte order, all.
 *
 * `flows` is an array of one map, because an LRU map of this size would more
 * than double what a namespace without UDP needs: the helper puts it there with
 * the first UDP listener.
 */
#define SKL_FLOWS 65536

struct skl_flow_key {
	__u32 bound[4];
	__u32 client[4];
	__u16 bound_port;
	__u16 client_port;
	__u32 family; /* of the packet: AF_INET or AF_INET6 */
};

struct skl_flow {
	__u32 address[4]; /* the client's destination: our source */
	__u16 port;
	__u16 reserved;
};

/*
 * Decisions as they are made, while somebody watches: another build of the
 * dispatch program (traced.bpf.c) then runs in the place of the usual one, and
 * writes them into a ring buffer, which goes with it. So the usual one has
 * nothing of it, neither code nor memory.
 */
#define SKL_DECISIONS_BYTES 262144

enum skl_verdict {
	SKL_GIVEN = 1,	   /* to the socket in slot `member` */
	SKL_GONE = 2,	   /* all of these leave it to the ordinary lookup: the listener is gone */
	SKL_REFUSED = 3,   /* the kernel did not take the socket, with `error` */
	SKL_ELSEWHERE = 4, /* the listener is bound to another device */
	SKL_OWN_PORT = 5,  /* it is a listener's own address and port */
	SKL_NO_PREFIX = 6, /* the port is covered, but not at this address */
	SKL_UNCOVERED = 7, /* the port is not covered */
};

struct skl_decision {
	__u64 time;	  /* CLOCK_BOOTTIME, ns */
	__u32 address[4]; /* where the packet went. Network byte order, IPv4 in the first word */
	__u32 client[4];  /* and where it came from */
	__u16 port;	  /* host byte order, both */
	__u16 client_port;
	__u16 slot; /* the listener's first member, or 0 */
	__u16 member;
	__u16 binding;
	__u8 family; /* of the packet */
	__u8 protocol;
	__u32 ifindex; /* where it arrived, or 0 where the kernel does not tell */
	__u32 verdict;
	__s32 error;
};

/* What is to be written, and what was not because the ring buffer was full. */
struct skl_watch {
	__u64 lost;
	__u64 covered[1024];   /* a bit for each port: what is decided about it where it is covered */
	__u64 uncovered[1024]; /* and where it is not */
};

/*
 * What the packet path does not need but the next helper does: one record for
 * each member and each binding. Addresses are in network byte order, IPv4 in
 * the first 4 bytes. Times are CLOCK_BOOTTIME in nanoseconds.
 */
struct skl_member_record {
	__u64 cookie; /* of the socket (SO_COOKIE) */
	__u64 listener_id;
	__u64 instance; /* of the program that claimed, or 0 */
	__u64 since;
	__u32 listener; /* slot of the listener's first member */
	__u32 uid;	/* who claimed */
	__s32 pid;
	__u32 ifindex;
	__u8 address[16]; /* what the socket is bound to */
	__u16 port;
	__u8 family;
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 v6only;
	__u8 reuseport;
	__u8 reserved[2];
	char program[16];
};

struct skl_binding_record {
	__u64 id;
	__u64 since;
	__u32 listener; /* slot of the listener's first member */
	__u32 uid;	/* who claimed it */
	__u8 address[16];
	__u16 port_first;
	__u16 port_last;
	__u8 family;
	__u8 protocol;
	__u8 prefixlen;
	__u8 flags;
};

/* skl_binding_record.flags */
#define SKL_BINDING_ROUTED 1 /* the helper made the prefix local, until its last user goes */

#endif
