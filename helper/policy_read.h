/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy file on disk: who may have written it, and what it says. */
#ifndef SKL_POLICY_READ_H
#define SKL_POLICY_READ_H

#include "helper/rules/grants.h"

/* Opens it for reading, without waiting for whatever it may be. A descriptor or -errno. */
int policy_open(const char *path);

/*
 * Reads the policy from a descriptor (the caller's) of the file `path`, which
 * must live as long as the policy. What the file as a whole is blamed for is
 * told as of line 0. Returns 0 and *out, to be freed, or the number of mistakes.
 */
int policy_read(int fd, const char *path, const struct names *names, grants_told *told, void *context,
		struct policy **out);

#endif
