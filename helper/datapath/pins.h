/* SPDX-License-Identifier: BSD-2-Clause */
/* Directories of pinned BPF objects: one for each network namespace, that appears and vanishes as a whole. */
#ifndef SKL_PINS_H
#define SKL_PINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Most bytes of a path that these functions work with, and of a pin below it, with the NUL. */
#define PINS_BASE 256
#define PINS_PATH (PINS_BASE + 64)

/* Makes the directory where all pins are (0700), whose parent must be a bpffs. 0, -ENOTSUP when it is none,
 * -errno. */
int pins_prepare(const char *base);

/* "BASE/net-4026531833" */
void pins_path(char *out, size_t size, const char *base, uint64_t netns_ino);

/*
 * Begins to make `path`: an empty directory beside it, whose name is put into
 * `temporary`. pins_commit() gives it its name; pins_remove() ends it otherwise.
 */
int pins_begin(const char *path, char *temporary, size_t size);
int pins_commit(const char *temporary, const char *path);

/* Removes a directory of pins with all in it. 0 or -errno. */
int pins_remove(const char *path);

/* Calls `visit` with each namespace's directory below `base`; half-made ones that were never committed are
 * removed. */
typedef void pins_visit(void *context, const char *path, uint64_t netns_ino);
int pins_each(const char *base, pins_visit *visit, void *context);

#endif
