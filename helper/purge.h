/* SPDX-License-Identifier: BSD-2-Clause */
/* sklhelper --purge: away with everything that helpers have made, and with that only. */
#ifndef SKL_PURGE_H
#define SKL_PURGE_H

/*
 * Ends all coverage that is pinned below `base`, whatever made of it, and
 * removes the socket file of a helper that is gone. Says on stdout what it
 * removed and what it left. The caller has started the broker and holds the
 * lock of `base` if that is there. Returns the exit status: 1 when it could not
 * remove everything.
 */
int purge(const char *base, const char *socket);

#endif
