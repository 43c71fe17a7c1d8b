/* SPDX-License-Identifier: BSD-2-Clause */
/* Which program runs a script: by its "#!" lines as the kernel follows them, and through env(1). */
#ifndef SKL_CLI_SCRIPT_H
#define SKL_CLI_SCRIPT_H

#include <limits.h>

/*
 * Opens the file that is loaded in the end for the program at `path`: itself,
 * unless it is a script. Returns a descriptor or -errno; `final` is the path of
 * that file, or of the one that could not be opened.
 */
int script_open(const char *path, char final[PATH_MAX]);

#endif
