/* SPDX-License-Identifier: BSD-2-Clause */
/* All network namespaces that have coverage. */
#ifndef SKL_SPACES_H
#define SKL_SPACES_H

#include "helper/space.h"

struct spaces {
	const char *base; /* directory of the pins */
	struct space *first;
};

/* Takes over what earlier helpers pinned below `base`. What cannot be read is logged and left alone. */
void spaces_adopt(struct spaces *s);

/* Closes everything; coverage stays in place. */
void spaces_close(struct spaces *s);

/* Removes all that is pinned; the base directory stays, empty. */
void spaces_remove(struct spaces *s);

bool spaces_empty(const struct spaces *s);

/*
 * The space of the namespace `netns` (a descriptor, the caller's) with this
 * inode number, made where there is none. 0 or -errno.
 */
int spaces_get(struct spaces *s, int netns, uint64_t netns_ino, struct space **out);

/*
 * Looks after everything: forgets listeners that are gone, lets wide bindings
 * give way, removes what is empty for long. Returns the milliseconds after
 * which it wants to be called again, or -1 when nothing needs watching.
 */
int spaces_tick(struct spaces *s);

#endif
