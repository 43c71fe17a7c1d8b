/* SPDX-License-Identifier: BSD-2-Clause */
/* The options that are SKL_* variables by another name: a mistake is told before anything is started. */
#ifndef SKL_CLI_WANTED_H
#define SKL_CLI_WANTED_H

/*
 * Reads `value` as the helper will read it of `variable`. Returns 0, or -EINVAL
 * or -ENOMEM having complained about `option`, which is what the caller typed.
 */
int wanted_check(const char *option, const char *variable, const char *value);

#endif
