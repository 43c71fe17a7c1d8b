/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pins of a namespace: their names, and what must be pinned under each.
 * Whoever is root can put anything there, and what is there may be another
 * version's; it is looked at before it is used.
 */
#ifndef SKL_SHAPE_H
#define SKL_SHAPE_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/datapath/load.h"

/* What is pinned: the objects of load.h, and the link. */
#define SHAPE_LINK    LOAD_OBJECTS
#define SHAPE_OBJECTS (LOAD_OBJECTS + 1)

extern const char *const shape_pins[SHAPE_OBJECTS];

/* Pinned only while there is UDP coverage. */
#define SHAPE_REPLY "reply"

/* Pinned beside a program whose place it is about to take: next-dispatch, next-probe, next-reply. */
#define SHAPE_NEXT "next-"

#define SHAPE_TAG 8 /* bytes of what the kernel calls a program's tag: a hash of its instructions */

/* Learns sizes and tags from what this version makes (the caller's). 0 or -errno. */
int shape_learn(const int fds[LOAD_OBJECTS]);

/*
 * Opens what is pinned. Returns a descriptor (of the program's or map's own
 * kind for certain), -EBADMSG when it is missing or something else, -EPROTO
 * when another version made it, or -errno. Why is logged.
 */
int shape_open(int which, const char *directory);

/* ---- shape_names.c: what a directory of pins holds ---- */

/* Is everything in it known by name? 0, -EBADMSG where it is not, which is logged, or -errno. */
int shape_check_names(const char *directory);

/* Is a socket in the map of sockets that is pinned there, in whatever version? When that cannot be told, yes.
 */
bool shape_has_sockets(const char *directory);

/* Is what is pinned there under a name of ours something that we, in any version, have made? */
bool shape_is_ours(const char *directory, const char *name);

/* Removes a pin, and takes away what it stands for even where somebody else has pinned it, too. 0 or -1 and
 * errno. */
int shape_remove(const char *directory, const char *name);

/* The inode number of the namespace to which the link is attached that is pinned there; 0: to none (any
 * more). */
uint32_t shape_netns(const char *directory);

/* ---- shape.c ---- */

/* Is this program another one than the one that this version makes? */
bool shape_is_other_program(int which, int program);
int shape_read_tag(int program, uint8_t tag[SHAPE_TAG]);

/* Its id, or 0. */
uint32_t shape_program_id(int program);

/* Do all of these belong together: the link to the program, and the program to the maps? 0, -EBADMSG or
 * -errno. */
int shape_check_fit(const int fds[SHAPE_OBJECTS]);

#endif
