/* SPDX-License-Identifier: BSD-2-Clause */
/* Can LD_PRELOAD bring the shim into a program? A loader that cannot says so on stderr at best, and goes on.
 */
#ifndef SKL_CLI_REACH_H
#define SKL_CLI_REACH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Finds the file that execvp() would run. Returns 0, or -ENOENT, -EACCES or
 * another errno for which execvp() would fail.
 */
int reach_find(const char *name, char path[PATH_MAX]);

/*
 * Looks at the program at `path`, through "#!" lines, with the shim of
 * place_shim(). Returns true where nothing speaks against it, and then the
 * path for LD_PRELOAD in `preload`; false with the reason in `why`.
 */
bool reach_check(const char *path, const char *shim, char preload[PATH_MAX], char *why, size_t size);

#endif
