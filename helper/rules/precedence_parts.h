/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of precedence, for each other. */
#ifndef SKL_PRECEDENCE_PARTS_H
#define SKL_PRECEDENCE_PARTS_H

#include "helper/rules/table.h"

/* ---- precedence.c ---- */

/* As rules_precedence(); where the rules do not say, what was claimed wins, and of that the older one. */
int bindings_precedence(const struct binding *a, const struct binding *b);

/* ---- left_out.c ---- */

/* Then nobody takes from another user, and there is nothing to compare. */
bool bindings_of_one_user(const struct binding *const *all, size_t n);

/*
 * Does `b` make no use of this port, whoever comes after it? Seen against those
 * of `others` that have it; `one_user` is bindings_of_one_user() of them.
 */
bool binding_gives_way(const struct table *t, const struct binding *b, uint16_t port,
		       const struct binding *const *others, size_t n, bool one_user);

/* ---- runs.c ---- */

/*
 * Calls `visit` for consecutive runs of the ports first..last, with the bindings
 * that have them, in no order. Returns 0, -ENOMEM, or the first non-zero that
 * visit returned.
 */
typedef int visit_run(void *context, uint16_t first, uint16_t last, const struct binding *const *have,
		      size_t n);
int bindings_by_runs(const struct table *t, uint8_t protocol, int family, uint16_t first, uint16_t last,
		     visit_run *visit, void *context);

#endif
