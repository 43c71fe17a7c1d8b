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

/* A descriptor of the file, open for reading, or -errno. */
int broker_open_policy(const char *path);

/* The id of the user or group that the request names. 0, -ENOENT or -errno. */
int broker_find_id(const struct broker_request *request, uint32_t *id);

#endif
