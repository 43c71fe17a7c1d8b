/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for the user: what goes into a reply's text. Bounded, never fails, cuts with "..." when full. */
#ifndef SKL_SAY_H
#define SKL_SAY_H

#include <stddef.h>

#include "helper/wire.h"

struct say {
	size_t length;
	char text[SKL_SAY_MAX + 1];
};

/* Adds a line. */
void say(struct say *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

/*
 * Adds a line that tells an error in the common form "WHAT: STRERROR: why" and
 * returns -err, so that a refusal is one statement. err is a positive errno.
 */
int say_error(struct say *s, int err, const char *what, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Forgets all lines but the first `length` characters. */
void say_rewind(struct say *s, size_t length);

#endif
