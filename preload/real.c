// SPDX-License-Identifier: BSD-2-Clause
#include "preload/real.h"

#include <stddef.h>

#include "preload/sys.h"

#define RTLD_NEXT ((void *)-1L)

extern int *__errno_location(void) __attribute__((weak));

static int (*next_bind)(int fd, const struct sockaddr *address, unsigned int length);
static int (*next_listen)(int fd, int backlog);

void real_find(const void *own_bind, const void *own_listen)
{
	void *found;

	if (!dlsym)
		return;
	/* The result is used here, never returned as is: the loader tells by the return address who asks for
	 * the next. */
	found = dlsym(RTLD_NEXT, "bind");
	if (found != own_bind)
		next_bind = (int (*)(int, const struct sockaddr *, unsigned int))found;
	found = dlsym(RTLD_NEXT, "listen");
	if (found != own_listen)
		next_listen = (int (*)(int, int))found;
}

int real_fail(int error)
{
	if (__errno_location)
		*__errno_location() = error;
	return -1;
}

int real_error(void)
{
	return __errno_location ? *__errno_location() : 0;
}

int real_bind(int fd, const struct sockaddr *address, unsigned int length)
{
	int err;

	if (next_bind)
		return next_bind(fd, address, length);
	err = sys_bind(fd, address, length);
	return err < 0 ? real_fail(-err) : err;
}

int real_listen(int fd, int backlog)
{
	int err;

	if (next_listen)
		return next_listen(fd, backlog);
	err = sys_listen(fd, backlog);
	return err < 0 ? real_fail(-err) : err;
}
