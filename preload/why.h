/* SPDX-License-Identifier: BSD-2-Clause */
/* Errors in words, for those that the helper had no part in. */
#ifndef SKL_WHY_H
#define SKL_WHY_H

#include "preload/ask.h"
#include "preload/say.h"

/* "No such file or directory", or "error 123". */
void why_name(struct text *text, int error);

/*
 * Why asking failed and how to mend it, without a full stop. `error` is
 * positive; `moved` says that "/" is no longer what it was at load.
 */
void why_explain(struct text *text, const struct ask *ask, enum ask_end end, int error, int moved);

#endif
