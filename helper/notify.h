/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_NOTIFY_H
#define SKL_NOTIFY_H

/*
 * Opens the way to the service manager, where there is one (NOTIFY_SOCKET, see
 * sd_notify(3)), while that is still allowed.
 */
void notify_open(void);

/* Tells it that requests are served, and closes the way. */
void notify_ready(void);

#endif
