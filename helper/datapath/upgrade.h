/* SPDX-License-Identifier: BSD-2-Clause */
/* A namespace's programs give way to those of this version, while packets go on. */
#ifndef SKL_UPGRADE_H
#define SKL_UPGRADE_H

#include "helper/datapath/datapath.h"

/*
 * Puts these programs in the place of those that run where they differ. It takes
 * the right to load programs, which the helper has only at its start. 0, or
 * -errno: the others go on.
 */
int upgrade_programs(struct datapath *d);

/*
 * Lets this program run in the place of the one that is pinned, until that gets
 * its place back. To the successor of a helper that was killed in between it
 * looks like an upgrade, which it finishes and then replaces. 0 or -errno.
 */
int upgrade_lend(const struct datapath *d, int program);
int upgrade_return(const struct datapath *d);

/* Pins a program as "DIRECTORY/NAME", in one step in place of one that may be there. 0 or -errno. */
int upgrade_pin(const char *directory, const char *name, int program);

/* Finishes or undoes what a helper that was killed had begun of it. */
void upgrade_settle(const char *directory);

#endif
