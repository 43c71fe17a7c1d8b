/* SPDX-License-Identifier: BSD-2-Clause */
/* The value of an option that may be given several times. */
#ifndef SKL_CLI_LIST_H
#define SKL_CLI_LIST_H

/*
 * Adds an item, with the separator before it where there is one already.
 * *list is NULL at first and the caller's to free. Returns 0, -EINVAL where
 * the item is empty, or -ENOMEM.
 */
int list_add(char **list, const char *item, char separator);

#endif
