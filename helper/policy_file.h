/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy that is in force, and the file that it comes from. */
#ifndef SKL_POLICY_FILE_H
#define SKL_POLICY_FILE_H

#include <stdbool.h>

#include "helper/rules/grants.h"

struct policy_file {
	const char *path;
	bool named; /* by an option: then it must be there */
	struct policy *now;
};

/*
 * Reads the file, by the broker, and puts what it says in force; a second time,
 * too. Says in the log what came of it. Returns 0, or 1 when there is a mistake
 * in it or it cannot be read: then what was in force stays.
 */
int policy_file_load(struct policy_file *f);

void policy_file_close(struct policy_file *f);

/* For people: prints what each line of the file grants, and all mistakes. Needs no broker. The exit status.
 */
int policy_file_show(const struct policy_file *f);

#endif
