/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The contract between the helper and those who ask it: the shim and skl.
 *
 * One connection carries one request and one reply over an AF_UNIX
 * SOCK_SEQPACKET socket; then both sides close. Numbers are in the machine's
 * own byte order, since both ends run on it; all widths are fixed, so that a
 * 32-bit program can talk to a 64-bit helper.
 *
 * Who asks is never part of a message: the helper takes it from the kernel.
 */
#ifndef SKL_WIRE_H
#define SKL_WIRE_H

#include <linux/types.h>

#define SKL_HELPER_SOCKET "/run/skl/helper.sock"

#define SKL_WIRE_MAGIC	 0x5f6c6b73u /* "skl_" in memory on a little-endian machine */
#define SKL_WIRE_VERSION 1
#define SKL_TEXT_MAX	 16384 /* most bytes of SKL_* text in one request */
#define SKL_SAY_MAX	 1024  /* most bytes of sentences in one reply */

enum skl_kind {
	/* A socket is attached to each of these three (SCM_RIGHTS, exactly one). */
	SKL_CLAIM_LISTEN = 1, /* TCP, after the program's own listen() */
	SKL_CLAIM_BIND = 2,   /* UDP, after the program's own bind() to an explicit port */
	SKL_CLAIM_ATTACH = 3, /* taken from a running program by somebody with the right to */

	SKL_STATUS = 4, /* no socket; the reply has a memfd full of records (below) attached */
	SKL_EXPECT = 5, /* no socket; the asking process is about to become a program that claims:
			 * a helper that leaves when idle stays as long as that process lives */

	/*
	 * Before the program's own bind() with SKL_SHARE: the socket, not bound yet, is attached, and a
	 * struct skl_join stands before the text. The answer has the share's socket attached, which is to
	 * take the place of the program's; or has none: the program binds its own. EAGAIN: another program
	 * is about to found the share, ask again soon.
	 */
	SKL_CLAIM_JOIN = 6,

	SKL_DETACH = 8, /* no socket; the text is "ID=17" and ends the coverage of that listener or binding */

	/* As SKL_CLAIM_LISTEN or SKL_CLAIM_BIND, whichever the socket is for: what would the answer be? */
	SKL_CHECK = 9,

	/*
	 * Decisions as they are made, in the network namespace of the socket that is attached, which is of
	 * AF_UNIX and SOCK_SEQPACKET: until its other end is closed, messages of records (below) come out of
	 * that. The text is empty or "PORT=777", and tells of which port. Root, and who has CAP_NET_ADMIN
	 * over the namespace, gets all of them, others those about their own listeners.
	 */
	SKL_TRACE = 10,
};

struct skl_join {
	__u32 length;	  /* of the address, as given to bind() */
	__u8 address[28]; /* a struct sockaddr_in or sockaddr_in6; zero beyond length */
};

/*
 * A request is this header and then, up to `length`, the SKL_* variables as they stand in the environment,
 * each "NAME=value" with its NUL. The header's first twelve bytes keep their meaning in every version.
 */
struct skl_request {
	__u32 magic;
	__u16 version;
	__u16 kind;
	__u32 length; /* of the whole message, in bytes: must equal what was received */
	__s32 pid; /* of a claim: the process that the socket was taken from, where that is not who asks. For
		    * show only. Else 0. */
	__u64 instance; /* the program: random, made when the shim is loaded, inherited by fork; 0 = none.
			 * It only decides whether a second listener is left alone, never what is allowed. */
};

/*
 * A reply is this header and then, up to `length`, sentences for the user in
 * printable ASCII, lines divided by '\n': the reason when error is not 0,
 * otherwise remarks (what was left out, and why). A helper that does not speak
 * the version asked for answers in its own, with EPROTONOSUPPORT.
 */
struct skl_reply {
	__u32 magic;
	__u16 version;
	__u16 reserved; /* 0 */
	__u32 length;	/* of the whole message, in bytes */
	__s32 error;	/* 0, or a positive errno of the asker's architecture-independent set */
};

/*
 * The memfd of SKL_STATUS: records one after the other, each starting with this header. Readers skip kinds
 * that they do not know and bytes beyond those they know. Bindings follow their listener.
 */
struct skl_record {
	__u32 kind;
	__u32 length; /* of the whole record with this header, a multiple of 8 */
};

enum skl_record_kind {
	SKL_RECORD_LISTENER = 1,
	SKL_RECORD_BINDING = 2,
	SKL_RECORD_SHARE = 3,
	SKL_RECORD_SHARE_SOCKET = 4, /* follows its share, as do its members */
	SKL_RECORD_SHARE_MEMBER = 5,
	SKL_RECORD_ERROR = 6,	/* follows its binding */
	SKL_RECORD_HELPER = 16, /* one, the first */
	/* these two come by SKL_TRACE only */
	SKL_RECORD_DECISION = 32,
	SKL_RECORD_LOST = 33,
};

/* An address: network byte order; IPv4 is in the first 4 bytes. Ports are in host byte order. */
struct skl_record_listener {
	struct skl_record head;
	__u64 id;    /* what `skl detach` takes; never used twice in the life of the pinned state */
	__u64 netns; /* inode number of the network namespace */
	__u64 age_ms;
	__u32 uid; /* whose it is */
	__s32 pid; /* who claimed first, in the helper's pid namespace; may be gone while the socket lives */
	__u32 ifindex; /* bound to this device, or 0 */
	__u16 port;
	__u16 members; /* living sockets; more than one with SO_REUSEPORT */
	__u8 family;   /* AF_INET or AF_INET6 */
	__u8 protocol; /* IPPROTO_TCP or IPPROTO_UDP */
	__u8 v6only;
	__u8 state; /* enum skl_listener_state */
	__u8 reserved[4];
	__u8 address[16];
	char program[16]; /* of pid when it claimed; NUL-terminated */
};

struct skl_record_helper {
	struct skl_record head;
	__s32 pid; /* in the helper's own pid namespace */
	__u32 reserved;
	char version[16]; /* NUL-terminated */
};

enum skl_listener_state {
	SKL_LISTENER_LIVE = 1,
	SKL_LISTENER_STALE = 2, /* closed or shut down; about to be forgotten */
};

struct skl_record_binding {
	struct skl_record head;
	__u64 id;
	__u64 listener; /* id of its listener */
	__u64 lookups;	/* packets that this binding decided, misses and errors among them */
	__u64 misses;	/* the listener was gone: the kernel's ordinary lookup went on */
	__u64 errors;	/* the kernel refused the socket */
	__u16 port_first;
	__u16 port_last;
	__u8 family;
	__u8 protocol;
	__u8 prefixlen;
	__u8 routed; /* 1: the helper made the prefix local, by a route that goes with its last user */
	__u8 address[16];
	__u16 left_out; /* ports inside the range that this binding does not get, in all */
	/* and the first of them as text, "22,53,100-200", NUL-terminated, ends with ",..." where cut */
	char less[62];
	__u32 state;	    /* enum skl_binding_state */
	__u32 shadowed_uid; /* SKL_BINDING_SHADOWED: whose program it is */
};

enum skl_binding_state {
	SKL_BINDING_LIVE = 1,
	SKL_BINDING_STALE = 2,	  /* of a listener that is stale */
	SKL_BINDING_SHADOWED = 3, /* live; a program that has bound the port since, too, gets nothing there */
};

struct skl_record_share {
	struct skl_record head;
	__u64 id;
	__u64 netns;   /* inode number */
	__u64 hold_ms; /* how long it outlives its last process */
	__u64 left_ms; /* of that, while it waits; else 0 */
	__u32 uid;
	__s32 asker;   /* the process that asks for the status, as the helper numbers it */
	__u8 waiting;  /* it has no process, and is held */
	char name[71]; /* NUL-terminated */
};

struct skl_record_share_socket {
	struct skl_record head;
	__u64 share;   /* id */
	__u64 inode;   /* as in /proc/PID/fd */
	__u32 ifindex; /* bound to this device, or 0 */
	__u16 port;
	__u16 holders; /* processes that have it open, as far as known */
	__u8 family;
	__u8 protocol;
	__u8 v6only;
	__u8 reserved[5];
	__u8 address[16];
};

/* A process that has a socket of the share open, or that once asked for it and still lives. */
struct skl_record_share_member {
	struct skl_record head;
	__u64 share; /* id */
	__u64 age_ms;
	__u64 instance; /* the program that it belongs to, or 0 where that is not known */
	__s32 pid;
	__u16 holds;  /* sockets of the share that it has open */
	__u16 joined; /* those for which its listen() or bind() came to the helper */
	char program[16];
};

/* A part of the binding's `errors`. */
struct skl_record_error {
	struct skl_record head;
	__u64 binding; /* id of its binding */
	__u64 count;
	__u32 error; /* errno with which the kernel refused the socket */
	__u32 reserved;
};

enum skl_decision_kind {
	SKL_DECISION_GIVEN = 1, /* to a socket of the listener; all others leave it to the ordinary lookup: */
	SKL_DECISION_GONE = 2,	/* the listener is gone */
	SKL_DECISION_REFUSED = 3,   /* the kernel refused the socket, with this error */
	SKL_DECISION_ELSEWHERE = 4, /* the listener is bound to another device */
	SKL_DECISION_OWN_PORT = 5,  /* it is a listener's own address and port */
	SKL_DECISION_NO_PREFIX = 6, /* the port is covered, but not at this address */
	SKL_DECISION_UNCOVERED = 7, /* the port is not covered; only where it was asked for */
};

struct skl_record_decision {
	struct skl_record head;
	__u64 time_ns;	/* CLOCK_REALTIME */
	__u64 listener; /* ids, or 0 where there is none, or none any more */
	__u64 binding;
	__u32 uid; /* whose listener */
	__s32 pid; /* of the socket that was chosen, else of the listener's first one; as in the status */
	__u32 kind;
	__u32 error;
	__u32 ifindex; /* where it arrived; 0 where the kernel does not tell */
	__u16 port;    /* where it went */
	__u16 client_port;
	__u16 binding_first; /* ports of the binding; 0 where there is none */
	__u16 binding_last;
	__u8 family; /* of the packet, and of the binding */
	__u8 protocol;
	__u8 prefixlen; /* of the binding */
	__u8 reserved;
	__u8 address[16];
	__u8 client[16];
	__u8 prefix[16];
	char program[16];
};

struct skl_record_lost {
	struct skl_record head;
	__u64 count; /* decisions that could not be told, since the last record of this kind */
};

#if defined(__STDC_VERSION__) && __STDC_VERSION__ >= 201112L
_Static_assert(sizeof(struct skl_request) == 24, "wire format");
_Static_assert(sizeof(struct skl_reply) == 16, "wire format");
_Static_assert(sizeof(struct skl_record_listener) == 88, "wire format");
_Static_assert(sizeof(struct skl_record_binding) == 144, "wire format");
_Static_assert(sizeof(struct skl_join) == 32, "wire format");
_Static_assert(sizeof(struct skl_record_share) == 120, "wire format");
_Static_assert(sizeof(struct skl_record_share_socket) == 56, "wire format");
_Static_assert(sizeof(struct skl_record_share_member) == 56, "wire format");
_Static_assert(sizeof(struct skl_record_error) == 32, "wire format");
_Static_assert(sizeof(struct skl_record_helper) == 32, "wire format");
_Static_assert(sizeof(struct skl_record_decision) == 128, "wire format");
_Static_assert(sizeof(struct skl_record_lost) == 16, "wire format");
#endif

#endif
