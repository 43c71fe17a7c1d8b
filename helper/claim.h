/* SPDX-License-Identifier: BSD-2-Clause */
/* One request for coverage, from top to bottom: read, decide, apply, answer. */
#ifndef SKL_CLAIM_H
#define SKL_CLAIM_H

#include <stddef.h>

#include "helper/rules/grants.h"
#include "helper/say.h"
#include "helper/server/peer.h"
#include "helper/share.h"
#include "helper/spaces.h"
#include "helper/wire.h"

/* What claims are judged by, and what they change. */
struct claims {
	struct spaces *spaces;
	struct sharing *sharing;
	const struct policy *policy;
};

/*
 * Also SKL_CHECK, which goes the same way up to where packets would come, and back.
 *
 * `sock` is the socket that came with the request (the caller's to close), or
 * -1; text is what followed the header. Returns 0, or -errno for the reply with
 * the reason in `s`; on success `s` has remarks or nothing.
 *
 * All or nothing: a refused claim leaves everything as it was.
 */
int claim(const struct claims *claims, const struct peer *peer, const struct skl_request *request,
	  const char *text, size_t length, int sock, struct say *s);

/*
 * SKL_CLAIM_JOIN, where `sock` is about to be bound and `body` is what followed
 * the header. On success *give is the share's socket (the caller's to close),
 * which has the coverage that was asked for, or -1: the program binds its own.
 */
int claim_join(const struct claims *claims, const struct peer *peer, const struct skl_request *request,
	       const char *body, size_t length, int sock, int *give, struct say *s);

#endif
