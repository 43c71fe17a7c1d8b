/* SPDX-License-Identifier: BSD-2-Clause */
/* What the broker's process does; its parts, for each other. */
#ifndef SKL_BROKER_PARTS_H
#define SKL_BROKER_PARTS_H

#include "helper/broker/broker.h"

/* Does in the network namespace `netns` what is ordered. Returns a descriptor for the answer, or -1. */
int broker_work_in(const struct broker_request *request, int netns, int second, struct broker_answer *answer);

/* A descriptor of the network namespace with this inode number, found through the processes in it, or
 * -ENOENT. */
int broker_find_netns(uint64_t ino);

#endif
