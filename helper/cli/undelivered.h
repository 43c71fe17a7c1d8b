/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last calls that were done and whose answer has not arrived. Before Linux 5.19
 * a signal takes the caller away before it is answered, and the kernel asks again:
 * for something that has been done already.
 */
#ifndef SKL_CLI_UNDELIVERED_H
#define SKL_CLI_UNDELIVERED_H

#include <stdbool.h>
#include <stdint.h>

#define UNDELIVERED_MAX 64

/* What a call is answered with that nothing was done for; and the result of one that was done and whose claim
 * has not been answered, which is then to be made again. */
#define GO_ON 1

struct done_call {
	uint64_t cookie; /* of the socket; 0: none */
	bool is_bind;
	int backlog; /* of listen() */
	int result;
};

struct undelivered {
	struct done_call calls[UNDELIVERED_MAX];
	unsigned int next;
};

/* The same call on the same socket, as it was answered, or NULL. */
const struct done_call *undelivered_find(const struct undelivered *u, const struct done_call *call);

/* In the place of the same call, or else of the oldest. */
void undelivered_remember(struct undelivered *u, const struct done_call *call);

/* Its result, unless it has been forgotten: then it was asked about again, and that has been answered. */
void undelivered_finish(struct undelivered *u, const struct done_call *call);
void undelivered_forget(struct undelivered *u, const struct done_call *call);

#endif
