/* SPDX-License-Identifier: BSD-2-Clause */
/* What the helper would say to a user, by its own rules and the same policy file, and why. */
#ifndef SKL_CLI_JUDGE_H
#define SKL_CLI_JUDGE_H

#include <stdbool.h>

#include "helper/rules/policy.h"

struct judge {
	struct claimant who;
	struct policy *policy;
	const char *user, *file;
};

/* A missing default file is the default policy. 0, or -errno having complained: then there is nothing to
 * close. */
int judge_open(struct judge *j, const char *user, const char *file);
void judge_close(struct judge *j);

/* Prints what he may have of the rule, and by what. Returns whether he may. */
bool judge_rule(const struct judge *j, const struct rule *r);

/* Prints that a local route may be added for him, where a grant says so. */
void judge_route(const struct judge *j, const struct prefix *prefix);

#endif
