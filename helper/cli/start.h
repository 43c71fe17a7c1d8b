/* SPDX-License-Identifier: BSD-2-Clause */
/* A helper on demand: started where none answers, and it leaves by itself when nothing is covered any more.
 */
#ifndef SKL_CLI_START_H
#define SKL_CLI_START_H

#include <stdbool.h>

/*
 * Sees to it that a helper, which is told so, expects a claim of this very process (and of whatever program
 * it becomes by exec): one that is there or, where we have the rights that it needs, one that is started.
 * None need be there yet when others_start. Makes client_helper() absolute. Returns 0, or -errno having
 * complained.
 */
int start_find(bool others_start);

#endif
