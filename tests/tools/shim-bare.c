// SPDX-License-Identifier: BSD-2-Clause
/*
 * A server without a libc. Linked with the shim's own sources it shows their
 * system calls at work on an architecture for which there is no libc at hand;
 * built in the ordinary way it is an ordinary program.
 */
#include "preload/sys.h"

#include <linux/in.h>

struct sockaddr;

int bind(int fd, const struct sockaddr *address, unsigned int length);
int listen(int fd, int backlog);
int main(void);

static const char *const outcomes[] = {"no socket\n", "no bind\n", "no listen\n", "listening\n"};

int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int sock = sys_socket(AF_INET, SOCK_STREAM, 0), outcome;
	const char *end;

	a.sin_addr.s_addr = __builtin_bswap32(INADDR_LOOPBACK);
	if (sock < 0)
		outcome = 0;
	else if (bind(sock, (struct sockaddr *)&a, sizeof(a)) < 0)
		outcome = 1;
	else
		outcome = listen(sock, 1) < 0 ? 2 : 3;
	for (end = outcomes[outcome]; *end;)
		end++;
	sys_write(1, outcomes[outcome], (unsigned long)(end - outcomes[outcome]));
	return outcome != 3;
}

#if !__STDC_HOSTED__
typedef void (*constructor)(void);

extern const constructor __init_array_start[], __init_array_end[];

void _start(void);

/* Entered by a jump, not a call: on x86 the stack is aligned otherwise than a function expects. */
#ifndef __aarch64__
__attribute__((force_align_arg_pointer))
#endif
void _start(void)
{
	for (const constructor *c = __init_array_start; c < __init_array_end; c++)
		(*c)();
	sys_call(__NR_exit_group, main(), 0, 0, 0, 0);
}
#endif
