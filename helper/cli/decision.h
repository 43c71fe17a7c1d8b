/* SPDX-License-Identifier: BSD-2-Clause */
/* A decision about a packet, as `skl trace` prints it. */
#ifndef SKL_CLI_DECISION_H
#define SKL_CLI_DECISION_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/wire.h"

/* How wide the columns are, in characters; they grow with what stands in them. */
struct decision_columns {
	size_t client, local;
	size_t target;	 /* 0: there is no room to let what follows begin below each other */
	size_t terminal; /* 0: the last column is not cut */
	bool headed;
};

/* For a terminal so wide; 0 where there is none. */
void decision_columns(struct decision_columns *c, size_t terminal);

/* Is what came what the wire allows? */
bool decision_is_valid(const struct skl_record_decision *d);

/* Prints a valid one, as a line of the table or of JSON. -ENOMEM or 0. */
void decision_print(struct decision_columns *c, const struct skl_record_decision *d);
int decision_print_json(const struct skl_record_decision *d);

#endif
