/* SPDX-License-Identifier: BSD-2-Clause */
/* A report in the text format that Prometheus reads. */
#ifndef SKL_CLI_EXPOSITION_H
#define SKL_CLI_EXPOSITION_H

#include <stdio.h>

#include "helper/cli/report.h"

/* NULL: no helper answers, which is a value as well (skl_up 0). */
void exposition_write(FILE *out, const struct report *report);

#endif
