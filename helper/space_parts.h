/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of space.c know of each other. */
#ifndef SKL_SPACE_PARTS_H
#define SKL_SPACE_PARTS_H

#include "helper/space.h"

/* ---- space_look.c ---- */

/* Writes every port anew; what fails is tried again (s->unwritten). */
void space_refresh_all(struct space *s);

/* Keeps a sock_diag socket only while somebody may be in the way of a binding: it keeps the namespace alive.
 */
void space_watch_holders(struct space *s);

/* ---- space_replies.c ---- */

bool space_has_udp(const struct space *s);

/* Interfaces come, and the last UDP listener goes. */
void space_watch_replies(struct space *s);

/* The reply program may be there for nobody: after a claim or a removal that was interrupted. 0 or -errno. */
int space_catch_up_replies(struct space *s, int netns);

void space_stop_replies(struct space *s);

#endif
