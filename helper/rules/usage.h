/* SPDX-License-Identifier: BSD-2-Clause */
/* How much a user has, against the quotas of the policy. Pure. */
#ifndef SKL_USAGE_H
#define SKL_USAGE_H

#include "helper/rules/policy.h"

#define RANGES_MAX 128 /* what ranges cost grows faster than their number; in one network namespace */
#define SOCKETS_EACH                                                                                         \
	8 /* of the listeners that a user may have, on average: with SO_REUSEPORT there may be more */
#define NAMESPACE_MAX 64 /* network namespaces in which a user has listeners */

struct usage {
	size_t listeners, sockets, bindings; /* everywhere */
	size_t ranges;			     /* in one network namespace */
};

/* Adds what the user has in one network namespace, but for the ranges. */
void usage_add(struct usage *u, const struct table *t, uint32_t uid);

size_t usage_ranges(const struct table *t, uint32_t uid);

/* Might a claim for so many bindings, for one more socket of one more listener, be too much for him? */
bool usage_is_tight(const struct usage *u, const struct claimant *who, size_t bindings);

/* May he have one more? 0, or -EMFILE with the sentence, in which `what` names what it is for. */
int usage_listener(const struct usage *u, const struct claimant *who, const char *what, struct say *s);
int usage_socket(const struct usage *u, const struct claimant *who, const char *what, struct say *s);
int usage_binding(const struct usage *u, const struct claimant *who, const struct rule *r, struct say *s);

#endif
