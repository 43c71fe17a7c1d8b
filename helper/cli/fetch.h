/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_CLI_FETCH_H
#define SKL_CLI_FETCH_H

#include "helper/cli/report.h"

/* Asks the helper for its status. Returns 0, and then report_free() is due, or -errno having complained. */
int fetch_report(struct report *report);

#endif
