/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors that the service manager handed over at start (LISTEN_FDS, see sd_listen_fds(3)). */
#ifndef SKL_HANDED_H
#define SKL_HANDED_H

enum handed {
	HANDED_STORED, /* sockets of shares, which an earlier helper had it keep: share_store.c */
	HANDED_OTHERS, /* made by itself: server/activation.c */
};

#define HANDED_STORED_PREFIX "skl-share-" /* of their names */

/* Calls `take` for each; it is close-on-exec, and the callee's from then on. `name` is "" where it has none.
 */
void handed_each(enum handed which, void (*take)(void *context, int fd, const char *name), void *context);

#endif
