/* SPDX-License-Identifier: BSD-2-Clause */
/* The variables that `skl run` gives to a program. */
#ifndef SKL_CLI_ENVIRONMENT_H
#define SKL_CLI_ENVIRONMENT_H

#include <stdbool.h>
#include <sys/types.h>

/* The SKL_* variables as they go over the wire. *text is the caller's to free. Returns their length, or
 * -ENOMEM. */
ssize_t environment_compose(char **text);

/* Is it set, and not empty? */
bool environment_has(const char *name);

/* Prints them as a shell reads them; `path` is the program, which LD_PRELOAD does not reach if it is
 * `supervised`. */
void environment_print(const char *path, bool supervised);

#endif
