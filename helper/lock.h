/* SPDX-License-Identifier: BSD-2-Clause */
/* The state below a directory is one helper's at a time. */
#ifndef SKL_LOCK_H
#define SKL_LOCK_H

#include <sys/types.h>

/* So a helper calls who has it when it ends for that; `skl run`, which started it, waits for the other one
 * then. */
#define LOCK_ANOTHER "another helper"

/*
 * Returns a descriptor that holds the lock until it is closed, -ESTALE when the
 * directory was removed or replaced meanwhile, or -errno; -EWOULDBLOCK means that
 * another process has it, *holder its id, or 0 where that cannot be told.
 */
int lock_take(const char *directory, pid_t *holder);

#endif
