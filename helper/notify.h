/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_NOTIFY_H
#define SKL_NOTIFY_H

/* Tells the service manager, where there is one (NOTIFY_SOCKET, see sd_notify(3)), that requests are served.
 */
void notify_ready(void);

#endif
