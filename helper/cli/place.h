/* SPDX-License-Identifier: BSD-2-Clause */
/* Where the shim and the helper are: beside skl, as in a build tree, or where they are installed. */
#ifndef SKL_CLI_PLACE_H
#define SKL_CLI_PLACE_H

#include <limits.h>
#include <stdbool.h>

/* As LD_PRELOAD takes it; may contain a literal "$LIB", which the loader of each program expands for itself.
 */
#ifndef SKL_SHIM_PATH
#define SKL_SHIM_PATH "/usr/local/lib/skl/$LIB/libsklshim.so"
#endif

#ifndef SKL_HELPER_PATH
#define SKL_HELPER_PATH "/usr/local/sbin/sklhelper"
#endif

/* Returns 0, or -ENOENT where there is neither (path is then the installed place). */
int place_shim(char path[PATH_MAX]);
int place_helper(char path[PATH_MAX]);

/* Is /proc mounted? Without it nobody knows where skl is, nor what is beside it. */
bool place_has_proc(void);

#define PLACE_NO_PROC	"/proc is not mounted"
#define PLACE_MEND_PROC "mount -t proc proc /proc"

/*
 * The n-th file that a shim's path can stand for: "$LIB" is a different
 * directory in each kind of system and for each kind of program. Returns false
 * when there are no more; the file need not exist.
 */
bool place_expand(const char *path, unsigned int n, char file[PATH_MAX]);

#endif
