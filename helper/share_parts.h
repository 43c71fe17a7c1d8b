/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of sharing, for each other. */
#ifndef SKL_SHARE_PARTS_H
#define SKL_SHARE_PARTS_H

#include "helper/share.h"

/* "uid 1000's share "web"" */
#define SHARE_TEXT 96
void share_format(const struct share *share, char out[SHARE_TEXT]);

/* How long it outlives its last process. The last one to say counts. */
void share_set_hold(struct share *share, uint64_t ms);

/* ---- share_watch.c: the known processes, watched for their end ---- */

/* Watches for the end of the process behind a pidfd, which stays the caller's. 0 or -errno. */
int share_watch(struct sharing *sharing, int pidfd);

/* The process of a peer; NULL where it cannot be watched. */
struct share_process *share_know(struct sharing *sharing, struct share *share, const struct peer *peer,
				 uint64_t instance);

/*
 * Adds a process and watches it; NULL where it cannot be. Takes the pidfd, or -1,
 * which is of a process that lives as long as `pid` means it.
 */
struct share_process *share_watch_process(struct sharing *sharing, struct share *share, int32_t pid,
					  int pidfd, uint64_t instance, const char program[16]);
void share_drop_process(struct sharing *sharing, struct share *share, struct share_process *p);

/* Who has ended; and of those that have nothing open, who did not ask for it: a child, or a chance find. */
void share_drop_gone(struct sharing *sharing, struct share *share);

void share_drop_pending(struct sharing *sharing, struct share_pending *p);
/* Those of programs that have ended. */
void share_drop_ended_pending(struct sharing *sharing);

/* ---- share_look.c: which processes have its sockets ---- */

/*
 * Looks whether the known processes still have them and, if none has one, who else. False where that takes
 * longer: what was found is kept for 3 seconds, so until then the next call goes on from there.
 */
bool share_look(struct sharing *sharing, struct share *share);

/* Looks at every process there is, those of `uid` first, for those that have a socket of these shares: as far
 * as that is soon known. */
void share_look_at_all(struct sharing *sharing, uint32_t uid, struct share *const *shares, size_t n);

/* ---- share_tend.c: the end of sockets that no process has ---- */

/* Closes the socket, and with the last one the share: then it returns true. */
bool share_drop_socket(struct sharing *sharing, struct share *share, size_t index);

/* ---- share_store.c: sockets outlive the helper in the service manager's store ---- */

/* No-ops without a service manager. */
void share_store(const struct share *share, size_t index);
void share_unstore(const struct share *share, size_t index);

/* Makes shares of the descriptors that were handed over at start. */
void share_adopt(struct sharing *sharing);

#endif
