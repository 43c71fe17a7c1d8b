// SPDX-License-Identifier: BSD-2-Clause
#include "preload/say.h"

#include <asm/socket.h>

#include "preload/sys.h"

/* Of the last text printed, to tell a repeated one. A race costs or repeats a remark, no more. */
static __u32 last;

void text_add(struct text *text, const char *string)
{
	while (*string && text->at < text->end)
		*text->at++ = *string++;
}

void text_add_number(struct text *text, unsigned long number)
{
	char digits[24];
	char *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do {
		*--at = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	text_add(text, at);
}

/* FNV-1a; never 0, which stands for nothing printed yet. */
static __u32 hash(const char *bytes, unsigned int length)
{
	__u32 h = 2166136261u;

	while (length--)
		h = (h ^ (__u8)*bytes++) * 16777619u;
	return h ? h : 1;
}

/* A program that closed its stderr may have a connection there, and a client would read what we say. */
static int stderr_is_network(int subject)
{
	unsigned int length = sizeof(int);
	int domain = 0;

	return subject == 2 || (sys_getsockopt(2, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
				(domain == AF_INET || domain == AF_INET6));
}

/* write() without the SIGPIPE that it raises when nobody reads stderr any more. */
static void write_quietly(const char *bytes, unsigned long length)
{
	const __u64 sigpipe = 1ull << (SIGPIPE - 1);
	const struct __kernel_old_timespec at_once = {0};
	__u64 old = 0, pending = 0;
	int blocked = sys_sigprocmask(SIG_BLOCK, &sigpipe, &old) == 0;
	long written;

	sys_sigpending(&pending);
	do {
		written = sys_write(2, bytes, length);
	} while (written == -EINTR);
	if (!blocked)
		return;
	if (written == -EPIPE && !(pending & sigpipe))
		sys_sigtimedwait(&sigpipe, &at_once);
	sys_sigprocmask(SIG_SETMASK, &old, 0);
}

void say_write(char *bytes, unsigned long length, int subject)
{
	if (stderr_is_network(subject))
		return;
	/* The text may quote what others wrote: nothing in it gets to steer a terminal. */
	for (unsigned long i = 0; i < length; i++) {
		if (((__u8)bytes[i] < ' ' && bytes[i] != '\n') || bytes[i] == 0x7f)
			bytes[i] = '?';
	}
	write_quietly(bytes, length);
}

void say_print(struct say *say, int subject)
{
	/* `out` starts in front of `in` by the room, and each line costs its part of the room, so it never
	 * overtakes. */
	struct text out = {.at = say->bytes, .end = say->bytes + sizeof(say->bytes)};
	const char *in = say_text(say);
	const char *end = in + say->length;
	int lines = 1;

	if (end > in && end[-1] == '\n')
		end--;
	if (end == in)
		return;
	__atomic_store_n(&last, hash(in, say->length), __ATOMIC_RELAXED);

	text_add(&out, SAY_PREFIX);
	for (; in < end; in++) {
		if (*in != '\n') {
			*out.at++ = *in;
		} else if (lines < SAY_LINES) {
			*out.at++ = '\n';
			text_add(&out, SAY_PREFIX);
			lines++;
		} else {
			*out.at++ = ' ';
		}
	}
	*out.at++ = '\n';
	say_write(say->bytes, (unsigned long)(out.at - say->bytes), subject);
}

void say_print_once(struct say *say, int subject)
{
	if (__atomic_load_n(&last, __ATOMIC_RELAXED) != hash(say_text(say), say->length))
		say_print(say, subject);
}
