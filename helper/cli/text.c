// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/text.h"

#include <stdbool.h>
#include <stdint.h>

/* Reads one character. Returns its length in bytes, or 0 where it is not valid UTF-8. */
static size_t decode(const unsigned char *s, uint32_t *c)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t n;

	if (s[0] < 0x80) {
		*c = s[0];
		return 1;
	}
	n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	*c = s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) { /* the closing NUL is no continuation */
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		*c = *c << 6 | (s[i] & 0x3f);
	}
	if (*c < least[n] || *c > 0x10ffff || (*c >= 0xd800 && *c <= 0xdfff))
		return 0;
	return n;
}

static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static void clean(char *text, bool controls)
{
	unsigned char *s = (unsigned char *)text;

	while (*s) {
		uint32_t c = 0;
		size_t n = decode(s, &c);
		bool bad = n == 0 || (controls && is_control(c));

		for (size_t i = 0; i < (n ? n : 1); i++, s++)
			if (bad)
				*s = '?';
	}
}

void text_make_valid(char *text)
{
	clean(text, false);
}

void text_make_printable(char *text)
{
	clean(text, true);
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t text_width(const char *text)
{
	size_t width = 0;

	for (; *text; text++)
		width += !is_continuation(*text);
	return width;
}

void text_cut(char *text, size_t width)
{
	if (width == 0 || text_width(text) <= width)
		return;
	for (size_t i = 0; i < width - 1; i++)
		do {
			text++;
		} while (is_continuation(*text));
	text[0] = '>';
	text[1] = '\0';
}
