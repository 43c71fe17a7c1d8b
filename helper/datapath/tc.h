/* SPDX-License-Identifier: BSD-2-Clause */
/* The reply program on the interfaces of the network namespace that the calling process is in (the broker's
 * work). */
#ifndef SKL_TC_H
#define SKL_TC_H

#include <stdint.h>

/*
 * Sees to it that `program` (a descriptor, the caller's) sees what leaves by
 * every interface of this namespace, whose inode number is given: by those that
 * appeared since the last call, too. Other people's filters stay as they are.
 * Returns 0, or the last -errno; an interface that fails does not keep others from it.
 */
int tc_attach_all(uint64_t netns_ino, int program);

/* Takes it away from every interface, and the clsact qdisc where it was made for it and nothing else is on
 * it. */
int tc_detach_all(uint64_t netns_ino);

#endif
