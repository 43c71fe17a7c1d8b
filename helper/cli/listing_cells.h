/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands in the table's cells: of a listener, and of each of its bindings. Printable, with no end of
 * line. */
#ifndef SKL_CLI_LISTING_CELLS_H
#define SKL_CLI_LISTING_CELLS_H

#include <stdbool.h>

#include "helper/cli/report.h"

#define CELL 128

enum column { ID, PROGRAM, PID, USER, LISTENS, N_COLUMNS };

/* Of a binding's line. */
enum part { PREFIX, PORTS, LOOKUPS, REST, N_PARTS };

/* How a binding is shown. */
struct style {
	bool brief;		     /* tells how many ports are left out instead of which */
	const struct report *report; /* that it is part of */
	const struct report *before; /* of a second ago, or NULL */
};

void listing_listener(const struct skl_record_listener *l, char cells[N_COLUMNS][CELL]);
void listing_binding(const struct skl_record_binding *b, const struct style *style,
		     char cells[N_PARTS][CELL]);

#endif
