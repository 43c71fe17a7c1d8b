/* SPDX-License-Identifier: BSD-2-Clause */
/* The state below a directory is one helper's at a time. */
#ifndef SKL_LOCK_H
#define SKL_LOCK_H

#include <sys/types.h>

/*
 * Returns a descriptor that holds the lock until it is closed, -ESTALE when the
 * directory was removed or replaced meanwhile, or -errno; -EWOULDBLOCK means that
 * another process has it, *holder its id, or 0 where that cannot be told.
 */
int lock_take(const char *directory, pid_t *holder);

#endif
