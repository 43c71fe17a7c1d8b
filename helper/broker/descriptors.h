/* SPDX-License-Identifier: BSD-2-Clause */
/* What /proc tells about the descriptors of a process. */
#ifndef SKL_DESCRIPTORS_H
#define SKL_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

/* Does this kernel tell it without CAP_DAC_READ_SEARCH? The first call opens a socket for a moment. */
bool descriptors_in_fdinfo(void);

/* A directory with the descriptors of the process by number, or -1. */
int descriptors_open(int32_t pid);

/* The inode of the socket that this descriptor is, or 0: it is none. */
uint64_t descriptors_socket(int directory, const char *name);

/* False: it is certainly none of epoll. */
bool descriptors_may_be_epoll(int directory, const char *name);

#endif
