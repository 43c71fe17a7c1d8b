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
#define PINS_FILE (PINS_PATH + 32)

/* Is this directory on a bpffs? 0, -ENOENT, -ENOTSUP when it is not, or -errno. */
int pins_check(const char *base);

/* Makes the directory where all pins are (0700), whose parent must be a bpffs. 0, -ENOTSUP when it is none,
 * -errno. */
int pins_prepare(const char *base);

/* "BASE/net-4026531833" */
void pins_path(char *out, size_t size, const char *base, uint64_t netns_ino);

bool pins_exist(const char *path);

/* Is it a directory, and not a link to one? 0, -EBADMSG or -errno. */
int pins_check_directory(const char *path);

/* A path as a person is to read it: the helper's own begin in its working directory. */
const char *pins_shown(const char *path);

/*
 * Begins to make `path`: an empty directory beside it, whose name is put into
 * `temporary`. pins_commit() gives it its name; pins_remove() ends it otherwise.
 */
int pins_begin(const char *path, char *temporary, size_t size);
int pins_commit(const char *temporary, const char *path);

/* Removes a directory of pins with all in it; under its name it is there as a whole or not at all. 0 or
 * -errno. */
int pins_remove(const char *path);

/*
 * Gives what stands at `path` another name beside it, which is put into `out`:
 * "BASE/damaged-net-4026531833-1700000000", the number being the time. 0 or -errno.
 */
int pins_set_aside(const char *path, char *out, size_t size);

enum pins_kind {
	PINS_SPACE,	 /* of a namespace */
	PINS_UNFINISHED, /* half made, or half removed */
	PINS_ASIDE,	 /* pins_set_aside() */
	PINS_FOREIGN,	 /* no name that we give */
};

struct pins_entry {
	const char *path;
	enum pins_kind kind;
	uint64_t netns_ino; /* 0 for a foreign one */
};

/* Calls `visit` with all that there is below `base` when this is called. 0 or -errno. */
typedef void pins_visit(void *context, const struct pins_entry *entry);
int pins_each(const char *base, pins_visit *visit, void *context);

#endif
