/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_HANDED_H
#define SKL_HANDED_H

/*
 * Descriptors that the service manager handed over (LISTEN_FDS, see
 * sd_listen_fds(3)): calls `take` for each whose name begins with `prefix`. It
 * is close-on-exec, and the callee's from then on.
 */
void handed_each(const char *prefix, void (*take)(void *context, int fd, const char *name), void *context);

#endif
