/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of sharing, for each other. */
#ifndef SKL_SHARE_PARTS_H
#define SKL_SHARE_PARTS_H

#include "helper/share.h"

/* "uid 1000's share "web"" */
#define SHARE_TEXT 96
void share_format(const struct share *share, char out[SHARE_TEXT]);

/* ---- share_watch.c: which processes have its sockets ---- */

/* Looks whether the known processes still have them and, if none has one, who else. */
void share_look(struct sharing *sharing, struct share *share);

/* Looks at every process there is, those of `uid` first, for those that have a socket of these shares. False
 * where that takes longer: then it is not known yet who has none.
 */
bool share_look_at_all(struct sharing *sharing, uint32_t uid, struct share *const *shares, size_t n);

/* The process of a peer; NULL where it cannot be watched. */
struct share_process *share_know(struct sharing *sharing, struct share *share, const struct peer *peer,
				 uint64_t instance);

/* Closes the socket, and with the last one the share: then it returns true. */
bool share_drop_socket(struct sharing *sharing, struct share *share, size_t index);

/* Watches for the end of the process behind a pidfd. 0 or -errno. */
int share_watch(struct sharing *sharing, int pidfd);
void share_drop_pending(struct sharing *sharing, struct share_pending *p);

/* How long it outlives its last process. The last one to say counts. */
void share_set_hold(struct share *share, uint64_t ms);

/* ---- share_store.c: sockets outlive the helper in the service manager's store ---- */

/* No-ops without a service manager. */
void share_store(const struct share *share, size_t index);
void share_unstore(const struct share *share, size_t index);

/* Makes shares of the descriptors that were handed over at start. */
void share_adopt(struct sharing *sharing);

#endif
