/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who watches decisions as they are made (SKL_TRACE), and what they are told.
 *
 * The kernel writes for all watchers of a namespace into one ring buffer that
 * only the helper reads: it hands on what each may see. A ring buffer in the
 * hands of a user could be used against the kernel (CVE-2024-41009), and there
 * is no way to give him a part of one.
 */
#ifndef SKL_TRACING_H
#define SKL_TRACING_H

#include "helper/say.h"
#include "helper/server/peer.h"
#include "helper/spaces.h"
#include "helper/wire.h"

#define TRACING_WATCHERS 32 /* at the same time */
#define TRACING_OTHERS	 24 /* of these by others than root */
#define TRACING_EACH	 4  /* of one user */

#define TRACING_MESSAGE 8192 /* most bytes of one message to a watcher */

struct watcher {
	int fd;
	uint32_t uid;
	bool sees_all;
	uint16_t port; /* or 0 for every covered one */
	uint64_t netns_ino;
	uint64_t lost_before; /* what was lost before this was told */
	uint64_t lost;	      /* because he does not read, and not told yet */
	size_t used;
	char message[TRACING_MESSAGE];
};

struct tracing {
	int epoll; /* readable when a watcher has gone */
	size_t n;
	struct watcher *watchers[TRACING_WATCHERS];
};

/* 0 or -errno. */
int tracing_open(struct tracing *t);
void tracing_close(struct tracing *t);

/* `sock` (the caller's) came with the text. 0, or -errno with the sentence in `s`; a remark is possible. */
int tracing_add(struct tracing *t, struct spaces *spaces, const struct peer *peer, const char *text,
		size_t length, int sock, struct say *s);

/* Takes those away that have gone. */
void tracing_event(struct tracing *t, struct spaces *spaces);

/*
 * Tells the watchers what was decided; to be called before anything changes what
 * decisions are about, too. Returns the ms after which it wants to be called again, or -1.
 */
int tracing_tend(struct tracing *t, struct spaces *spaces);

#endif
