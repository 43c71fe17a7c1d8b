/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed where somebody looks. */
#ifndef SKL_CLI_TERMINAL_H
#define SKL_CLI_TERMINAL_H

#include <stddef.h>

/* How wide the terminal is, in characters; 0 where stdout is none. */
size_t terminal_width(void);

/*
 * Prints text that begins at column `indent`, and a newline: in lines that fit
 * into `width`, broken between words, each but the first indented. 0 breaks
 * nothing, and a word that is too long is not broken either.
 */
void terminal_wrap(size_t indent, const char *text, size_t width);

#endif
