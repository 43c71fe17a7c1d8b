/* SPDX-License-Identifier: BSD-2-Clause */
/* skl run --check: would the claim be granted? */
#ifndef SKL_CLI_CHECK_H
#define SKL_CLI_CHECK_H

#include <stddef.h>

#include "helper/cli/address.h"

/*
 * Asks the helper, for a program that would be bound to `at` (or, where that is NULL, to what SKL_FOR names,
 * or any port, on every address), with `length` bytes of SKL_* text, and prints the answer. Returns 0 where
 * all is granted, 1 where something is refused, or -errno having complained.
 */
int check(const struct address_pattern *at, const char *text, size_t length);

#endif
