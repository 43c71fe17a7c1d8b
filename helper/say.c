// SPDX-License-Identifier: BSD-2-Clause
#include "helper/say.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* libbpf has errors of its own from here on, of which no asker knows. */
#define OWN_OF_LIBBPF 4000

/* What a sentence quotes comes from users and goes to terminals: only printable ASCII. */
static void make_printable(char *from, const char *end)
{
	for (; from < end; from++) {
		if (*from < ' ' || *from > '~')
			*from = '?';
	}
}

static void append(struct say *s, const char *format, va_list args)
{
	char *start = s->text + s->length;
	size_t room = sizeof(s->text) - s->length;
	int n = vsnprintf(start, room, format, args);

	if (n < 0)
		return;
	if ((size_t)n < room) {
		s->length += (size_t)n;
		make_printable(start, start + n);
		return;
	}
	s->length = sizeof(s->text) - 1;
	make_printable(start, s->text + s->length);
	memcpy(s->text + s->length - 3, "...", 3);
}

static void end_line(struct say *s)
{
	if (s->length && s->length < sizeof(s->text) - 1) {
		s->text[s->length++] = '\n';
		s->text[s->length] = '\0';
	}
}

void say(struct say *s, const char *format, ...)
{
	va_list args;

	end_line(s);
	va_start(args, format);
	append(s, format, args);
	va_end(args);
}

int say_error(struct say *s, int err, const char *what, const char *format, ...)
{
	va_list args;

	if (err >= OWN_OF_LIBBPF)
		err = EIO;
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
