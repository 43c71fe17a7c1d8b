// SPDX-License-Identifier: BSD-2-Clause
/* The functions that compilers call on their own, where there is no libc to have them from. */
#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);

/* volatile, lest the compiler see what the loop does and replace it by a call of itself. */
void *memcpy(void *to, const void *from, size_t n)
{
	volatile char *t = to;
	const char *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int byte, size_t n)
{
	volatile char *t = to;

	while (n--)
		*t++ = (char)byte;
	return to;
}
