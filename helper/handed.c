// SPDX-License-Identifier: BSD-2-Clause
#include "helper/handed.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST 3

static long number(const char *name)
{
	const char *value = getenv(name);
	char *end;
	long n;

	if (!value || !*value)
		return -1;
	n = strtol(value, &end, 10);
	return *end ? -1 : n;
}

void handed_each(const char *prefix, void (*take)(void *context, int fd, const char *name), void *context)
{
	const char *listed = getenv("LISTEN_FDNAMES");
	char *names, *rest, *name;
	long n = number("LISTEN_FDS");

	if (!listed || number("LISTEN_PID") != getpid())
		return;
	rest = names = strdup(listed);
	for (int fd = FIRST; fd - FIRST < n && (name = strsep(&rest, ":")); fd++) {
		if (strncmp(name, prefix, strlen(prefix)) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
			continue;
		take(context, fd, name);
	}
	free(names);
}
