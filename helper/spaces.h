/* SPDX-License-Identifier: BSD-2-Clause */
/* All network namespaces that have coverage. */
#ifndef SKL_SPACES_H
#define SKL_SPACES_H

#include "helper/rules/usage.h"
#include "helper/space.h"

struct spaces {
	const char *base;  /* directory of the pins, */
	const char *shown; /* and where it is to others */
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
 * inode number, made where there is none, for that user. Returns 0, -EDQUOT when
 * he has too many, or -errno.
 */
int spaces_get(struct spaces *s, int netns, uint64_t netns_ino, uint32_t uid, struct space **out);

/* What the user has, in all of them; in `here` the ranges. What is gone is forgotten first, if `sweep`. */
struct usage spaces_usage(struct spaces *s, struct space *here, uint32_t uid, bool sweep);

/*
 * Looks after everything: forgets listeners that are gone, lets wide bindings
 * give way, removes what is empty for long. Returns the milliseconds after
 * which it wants to be called again, or -1 when nothing needs watching.
 */
int spaces_tick(struct spaces *s);

#endif
