/* SPDX-License-Identifier: BSD-2-Clause */
/* How a program that is about to be run comes to its coverage: by the shim or a supervisor, and a helper. */
#ifndef SKL_CLI_PREPARE_H
#define SKL_CLI_PREPARE_H

#include <stdbool.h>

#include "helper/cli/address.h"

/* What is not said by a variable. */
struct wish {
	bool supervise;
	bool print; /* only the variables */
	bool check; /* only ask */
	bool has_at;
	struct address_pattern at; /* where the program would listen */
};

/*
 * Prepares the coverage of the program that was found at path; w->supervise
 * becomes what is done. Returns 0, or -1 having complained.
 */
int prepare(const char *program, const char *path, struct wish *w);

#endif
