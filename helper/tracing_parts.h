/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of tracing, for tracing.c alone. */
#ifndef SKL_TRACING_PARTS_H
#define SKL_TRACING_PARTS_H

#include "helper/tracing.h"

/* ---- tracing_tell.c ---- */

/* Asks the kernel for what the watchers of this namespace may see, and no more. It is traced. */
void tracing_set_ports(const struct tracing *t, struct space *s);

/* Reads what was decided since the last time into the messages of those who may see it, and sends what is
 * full. */
void tracing_tell(struct tracing *t, struct space *s);

/* Sends what there is for the watcher. False where he has gone. */
bool tracing_send(struct watcher *w);

#endif
