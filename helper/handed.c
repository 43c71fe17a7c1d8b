// SPDX-License-Identifier: BSD-2-Clause
#include "helper/handed.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST 3

static long number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long value = text ? strtol(text, &end, 10) : 0;

	return text && *text && *end == '\0' ? value : 0;
}

void handed_each(enum handed which, void (*take)(void *context, int fd, const char *name), void *context)
{
	const char *listed = getenv("LISTEN_FDNAMES");
	char *names, *rest;
	long n = number("LISTEN_FDS");

	if (n <= 0 || number("LISTEN_PID") != getpid())
		return;
	rest = names = strdup(listed ? listed : "");
	for (int fd = FIRST; fd - FIRST < n; fd++) {
		const char *name = rest ? strsep(&rest, ":") : "";
		bool stored = strncmp(name, HANDED_STORED_PREFIX, strlen(HANDED_STORED_PREFIX)) == 0;

		if (stored != (which == HANDED_STORED) || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			continue;
		take(context, fd, name);
	}
	free(names);
}
