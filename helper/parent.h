/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_PARENT_H
#define SKL_PARENT_H

#include <sys/types.h>

/* The parent of a process, or 0 where that cannot be read. */
pid_t parent_of(pid_t pid);

#endif
