/* SPDX-License-Identifier: BSD-2-Clause */
/* What the helper would say to a user, by its own rules and the same policy file, and why. */
#ifndef SKL_CLI_JUDGE_H
#define SKL_CLI_JUDGE_H

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

/* skl doctor --policy USER [--file FILE] PORT[/PROTO] [CIDR], of which `words` are the last two, up to NULL.
 * The exit code. */
int judge_main(const char *user, const char *file, char **words);

#endif
