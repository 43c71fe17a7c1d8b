/* SPDX-License-Identifier: BSD-2-Clause */
/* A report as a person reads it, and as a program does. */
#ifndef SKL_CLI_LISTING_H
#define SKL_CLI_LISTING_H

#include <stddef.h>
#include <stdint.h>

#include "helper/cli/report.h"

/* "7", "8000-8099" or "*", without what is left out. */
#define LISTING_PORTS 16
void listing_ports(const struct skl_record_binding *b, char text[LISTING_PORTS]);

/* "EEXIST", or the number where the error has no name here. */
#define LISTING_ERROR 24
void listing_error(uint32_t error, char name[LISTING_ERROR]);

/* The name of the user of that id, or NULL. It is valid until the next call. */
const char *listing_user(uint32_t uid);

/*
 * Prints a table, with lines no longer than `width` characters and no more than
 * `height` of them; 0 is any. With the report of a second ago, or NULL, it tells
 * how many lookups there were since.
 */
void listing_table(const struct report *report, const struct report *before, size_t width, size_t height);

/* The same, and a table of the shares, which goes first where the height is not enough for both. */
void listing_all(const struct report *report, const struct report *before, size_t width, size_t height);

/* Prints the document that status.schema.json describes. Returns 0 or -ENOMEM. */
int listing_json(const struct report *report);

#endif
