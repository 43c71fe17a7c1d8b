/* SPDX-License-Identifier: BSD-2-Clause */
/* One request, one reply. */
#ifndef SKL_ASK_H
#define SKL_ASK_H

#include "helper/wire.h"

struct env;
struct say;

#define ASK_SECONDS 5 /* for the answer, once there is a helper */

/* How far a request came. */
enum ask_end {
	ASK_NOT_SENT, /* the environment does not fit into a request */
	ASK_NO_PATH,  /* SKL_HELPER does not fit into an address */
	ASK_NO_SOCKET,
	ASK_NO_CONNECTION,
	ASK_NO_REPLY,
	ASK_BAD_REPLY,
	ASK_ANSWERED, /* the helper decided, and the text is its own */
};

struct ask {
	const struct env *env;
	__u64 instance;
	enum skl_kind kind;
	int fd; /* the program's socket; stays open and its own */
	/* SKL_CLAIM_JOIN only, else NULL. What is received is close-on-exec and the caller's. */
	const struct skl_join *join;
	int *received;
};

/*
 * Asks the helper. Returns 0 or -errno, how far it came in *end, and in *say
 * the helper's text, empty if it said nothing or was not reached.
 * Takes at most env->wait_ms and ASK_SECONDS.
 */
int ask(const struct ask *ask, struct say *say, enum ask_end *end);

#endif
