/* SPDX-License-Identifier: BSD-2-Clause */
/* Which listeners and shares somebody wants to see. */
#ifndef SKL_CLI_FILTER_H
#define SKL_CLI_FILTER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper/cli/report.h"

struct filter {
	pid_t pid; /* 0: any; so for the others */
	uint64_t netns;
	uint32_t uid;
	uint16_t port; /* bound, or covered by a binding */
	bool has_uid;
};

/* Reads an option's value: 'P' pid, 'r' port, 'u' user, 'n' netns (an inode number, or the path of a
 * namespace). Returns 0, or -EINVAL having complained. */
int filter_add(struct filter *f, int option, const char *value);

/* Takes what does not pass out of the report. */
void filter_apply(const struct filter *f, struct report *report);

#endif
