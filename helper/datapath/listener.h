/* SPDX-License-Identifier: BSD-2-Clause */
/* What a received socket is, asked of the kernel and of nobody else. */
#ifndef SKL_DATAPATH_LISTENER_H
#define SKL_DATAPATH_LISTENER_H

#include <stdint.h>

#include "helper/rules/table.h"
#include "helper/say.h"

struct received {
	struct listener listener; /* without members and id */
	uint64_t cookie;
	int netns; /* a descriptor of the socket's network namespace: the owner of this struct closes it */
	uint64_t netns_ino; /* and its inode number */
};

/*
 * Reads everything about the socket `fd`, which stays the caller's. Returns 0
 * and fills *out, or -errno with the sentence in `s`: ENOTSOCK, EAFNOSUPPORT
 * (not an internet socket), EPROTONOSUPPORT (neither TCP nor UDP), EOPNOTSUPP
 * (MPTCP), EINVAL (not listening, or not bound).
 */
int received_read(int fd, struct received *out, struct say *s);

/*
 * The same of a socket that is about to be bound to `address` (what bind() was given, read from `length`
 * bytes), with out->listener as it will be then. EALREADY, without a sentence: it is bound already, or the
 * address is not one that it could be bound to. It needs not listen.
 */
int received_read_unbound(int fd, const void *address, size_t length, struct received *out, struct say *s);

/* Of a socket of any kind only the network namespace. 0, or -errno with the sentence. */
int received_read_netns(int fd, struct received *out, struct say *s);

void received_close(struct received *r);

#endif
