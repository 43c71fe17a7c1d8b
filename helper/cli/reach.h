/* SPDX-License-Identifier: BSD-2-Clause */
/* Can LD_PRELOAD bring the shim into a program? A loader that cannot says so on stderr at best, and goes on.
 */
#ifndef SKL_CLI_REACH_H
#define SKL_CLI_REACH_H

#include <limits.h>
#include <stddef.h>

/*
 * Finds the file that execvp() would run. Returns 0, or -ENOENT, -EACCES or
 * another errno for which execvp() would fail.
 */
int reach_find(const char *name, char path[PATH_MAX]);

/* What that errno means there, for who typed the name. */
const char *reach_why(const char *name, int err);

enum reach {
	REACH_PRELOAD,	 /* nothing speaks against it */
	REACH_SUPERVISE, /* it does not load the shim */
	REACH_RIGHTS, /* it gains rights, so that its loader ignores LD_PRELOAD, and is not to be supervised
		       */
};

/*
 * Looks at the program at `path`, through "#!" lines and env(1), with the shim of
 * place_shim(). Returns how it can be reached, for REACH_PRELOAD with the path
 * for LD_PRELOAD in `preload`, for the others with the reason in `why`.
 */
enum reach reach_check(const char *path, const char *shim, char preload[PATH_MAX], char *why, size_t size);

/* Why the program at `path`, through "#!" lines, will have more rights than we have ("it is setuid"), or
 * NULL.
 */
const char *reach_gains(const char *path);

/*
 * The dynamic loader of the program at `path`, through "#!" lines: "" where it
 * has none. `final` is the file that it loads, or that cannot be opened.
 * Returns 0, -ENOEXEC where that is no program (ELF), or another errno.
 */
int reach_loader(const char *path, char final[PATH_MAX], char loader[PATH_MAX]);

#endif
