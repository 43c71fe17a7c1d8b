// SPDX-License-Identifier: BSD-2-Clause
#include "helper/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void append(struct say *s, const char *format, va_list args)
{
	size_t room = sizeof(s->text) - s->length;
	int n = vsnprintf(s->text + s->length, room, format, args);

	if (n < 0)
		return;
	if ((size_t)n < room) {
		s->length += (size_t)n;
		return;
	}
	s->length = sizeof(s->text) - 1;
	memcpy(s->text + s->length - 3, "...", 3);
}

static void append_format(struct say *s, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void append_format(struct say *s, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	append(s, format, args);
	va_end(args);
}

void say(struct say *s, const char *format, ...)
{
	va_list args;

	if (s->length)
		append_format(s, "\n");
	va_start(args, format);
	append(s, format, args);
	va_end(args);
}

int say_error(struct say *s, int err, const char *what, const char *format, ...)
{
	va_list args;

	say(s, "%s: %s: ", what, strerror(err));
	va_start(args, format);
	append(s, format, args);
	va_end(args);
	return -err;
}

void say_rewind(struct say *s, size_t length)
{
	s->length = length;
	s->text[length] = '\0';
}
