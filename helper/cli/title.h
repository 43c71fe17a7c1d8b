/* SPDX-License-Identifier: BSD-2-Clause */
/* What ps(1) shows of a process that is forked and never executes anything. */
#ifndef SKL_CLI_TITLE_H
#define SKL_CLI_TITLE_H

#include <sys/types.h>

/*
 * Shows this process as the supervisor of `pid`, with the name of its `program`
 * where that has room. Overwrites all of argv: nothing may point into it that
 * is still needed; `program` itself may.
 */
void title_set(pid_t pid, const char *program);

#endif
