// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/terminal.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "helper/cli/text.h"

#define WORD_MAX 1024

size_t terminal_width(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0)
		return 0;
	return size.ws_col;
}

void terminal_wrap(size_t indent, const char *text, size_t width)
{
	size_t at = indent;

	if (width == 0) {
		puts(text);
		return;
	}
	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t length = strcspn(text, " "), wide;
		char word[WORD_MAX];

		snprintf(word, sizeof(word), "%.*s", (int)length, text);
		wide = text_width(word);
		if (at > indent && at + 1 + wide > width) {
			printf("\n%*s", (int)indent, "");
			at = indent;
		}
		at += (size_t)printf("%s%.*s", at > indent ? " " : "", (int)length, text) - length + wide;
		text += length;
	}
	putchar('\n');
}
