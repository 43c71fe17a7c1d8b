/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_CLI_DURATION_H
#define SKL_CLI_DURATION_H

/* Reads "5s", "500ms", "2m" or a number of seconds into milliseconds, a day at most. 0 or -EINVAL. */
int duration_parse(const char *text, long *ms);

#endif
