// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/title.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TITLE_SIZE 128

/* How long argv is in memory, with the NUL of each: argv[0] is its start, and the environment comes after it.
 */
static size_t argv_length(void)
{
	int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	char part[4096];
	size_t length = 0;
	ssize_t n;

	if (fd < 0)
		return 0;
	while ((n = read(fd, part, sizeof(part))) > 0)
		length += (size_t)n;
	close(fd);
	return length;
}

void title_set(pid_t pid, const char *program)
{
	const char *slash = strrchr(program, '/');
	size_t room = argv_length();
	char forms[3][TITLE_SIZE];

	if (slash && slash[1])
		program = slash + 1;
	snprintf(forms[0], TITLE_SIZE, "skl: supervises %d (%.60s)", pid, program);
	snprintf(forms[1], TITLE_SIZE, "skl: supervises %d", pid);
	snprintf(forms[2], TITLE_SIZE, "skl: for %d", pid);
	for (int i = 0; i < 3; i++) {
		size_t length = strlen(forms[i]);

		/* the last byte stays NUL: without, the kernel takes the environment for a part of it */
		if (length >= room)
			continue;
		memset(program_invocation_name, 0, room);
		memcpy(program_invocation_name, forms[i], length);
		return;
	}
}
