/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that others chose, such as a program's name, made fit to be shown. */
#ifndef SKL_CLI_TEXT_H
#define SKL_CLI_TEXT_H

#include <stddef.h>

/* Puts '?' in place of each byte that is not part of valid UTF-8. */
void text_make_valid(char *text);

/* The same, and in place of each byte of a control character: nothing moves the cursor or forges a line. */
void text_make_printable(char *text);

/* Characters of valid UTF-8. */
size_t text_width(const char *text);

/* Cuts valid UTF-8 to so many characters, the last of them a '>' that shows it; 0 cuts nothing. */
void text_cut(char *text, size_t width);

#endif
