/* SPDX-License-Identifier: BSD-2-Clause */
/* A helper on demand: started where none answers, and it leaves by itself when nothing is covered any more.
 */
#ifndef SKL_CLI_START_H
#define SKL_CLI_START_H

#include <stdbool.h>

/*
 * Tells the helper that this very process (and whatever program it becomes by
 * exec) is going to claim. Returns 0, or -errno, having complained unless
 * client_is_absent(). A helper that refuses is -EPROTO.
 */
int start_expect(void);

/* Has this process what a helper needs to do its work? */
bool start_may(void);

/*
 * Starts a helper at client_helper(), an absolute path, and waits until it (or
 * another one that came first) expects this process. Returns 0, or -errno
 * having complained.
 */
int start_helper(void);

#endif
