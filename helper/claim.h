/* SPDX-License-Identifier: BSD-2-Clause */
/* One request for coverage, from top to bottom: read, decide, apply, answer. */
#ifndef SKL_CLAIM_H
#define SKL_CLAIM_H

#include <stddef.h>

#include "helper/rules/grants.h"
#include "helper/say.h"
#include "helper/server/peer.h"
#include "helper/spaces.h"
#include "helper/wire.h"

/*
 * `sock` is the socket that came with the request (the caller's to close), or
 * -1; text is what followed the header. Returns 0, or -errno for the reply with
 * the reason in `s`; on success `s` has remarks or nothing.
 *
 * All or nothing: a refused claim leaves everything as it was.
 */
int claim(struct spaces *spaces, const struct policy *policy, const struct peer *peer,
	  const struct skl_request *request, const char *text, size_t length, int sock, struct say *s);

#endif
