/* SPDX-License-Identifier: BSD-2-Clause */
/* `skl status -w`: the table, drawn anew each second. */
#ifndef SKL_CLI_WATCH_H
#define SKL_CLI_WATCH_H

#include "helper/cli/filter.h"

/* Until a signal ends it. Returns skl's exit code. */
int watch(const struct filter *filter);

#endif
