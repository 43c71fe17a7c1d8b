/* SPDX-License-Identifier: BSD-2-Clause */
/* The service manager, where there is one (NOTIFY_SOCKET, see sd_notify(3)); without one these do nothing. */
#ifndef SKL_NOTIFY_H
#define SKL_NOTIFY_H

#include <stdbool.h>

/* Opens the way to it, while that is still allowed. Returns whether there is one. */
bool notify_open(void);

/* Tells it that requests are served. */
void notify_ready(void);

/* Tells it something else ("A=1\nB=2"), with a descriptor unless fd is -1. */
void notify_tell(const char *text, int fd);

#endif
