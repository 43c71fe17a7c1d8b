/* SPDX-License-Identifier: BSD-2-Clause */
/* Sentences for the user, on stderr, in little memory. */
#ifndef SKL_SAY_H
#define SKL_SAY_H

#include "helper/wire.h"

#define SAY_PREFIX "libsklshim: "
#define SAY_LINES  24 /* that each get the prefix; further ones join the last */

/* A place to write text. What does not fit is cut off. */
struct text {
	char *at;
	const char *end;
};

void text_add(struct text *text, const char *string);
void text_add_number(struct text *text, unsigned long number);

/* One message. It is written, or received, behind a room into which it then grows by the prefixes of its
 * lines. */
struct say {
	unsigned int length; /* of the text, without a NUL */
	char bytes[SAY_LINES * (sizeof(SAY_PREFIX) - 1) + 1 + SKL_SAY_MAX];
};

static inline char *say_text(struct say *say)
{
	return say->bytes + sizeof(say->bytes) - SKL_SAY_MAX;
}

/* Prints and thereby uses up the message. `subject` is the socket that it is about. */
void say_print(struct say *say, int subject);

/* The same, but not a second time in succession. */
void say_print_once(struct say *say, int subject);

/* One write to stderr of what may be shown there, unless stderr is a network connection of the program. */
void say_write(char *bytes, unsigned long length, int subject);

#endif
