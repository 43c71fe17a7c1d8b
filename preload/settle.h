/* SPDX-License-Identifier: BSD-2-Clause */
/* What becomes of the program's call, now that the helper was asked. */
#ifndef SKL_SETTLE_H
#define SKL_SETTLE_H

#include "preload/ask.h"

struct say;

/*
 * Says what there is to say of the answer, or of there being none, and returns
 * what the call does: 0, or -1 and errno. `error` is positive, or 0 for success;
 * `end` and `say`, which is used up, are as of ask().
 *
 * No answer fails the call, unless SKL_ON_ERROR=warn: a server that was told to
 * serve more than it does should not look healthy.
 */
int settle(const struct ask *question, enum ask_end end, int error, struct say *say);

#endif
