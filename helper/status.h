/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_STATUS_H
#define SKL_STATUS_H

#include "helper/server/peer.h"
#include "helper/share.h"
#include "helper/spaces.h"

/*
 * A sealed memfd with the records of SKL_STATUS (helper/wire.h) that this peer
 * may see: root everything, others what is their own. The caller closes it.
 * Returns the descriptor or -errno.
 */
int status_memfd(struct spaces *spaces, struct sharing *sharing, const struct peer *peer);

#endif
