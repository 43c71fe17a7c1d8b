// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/reach.h"

#define SCRIPTS_MAX 5	/* "#!" lines one after the other that the kernel follows */
#define LINE_SIZE   256 /* as much as the kernel looks at */

/* The program that env(1) would execute, from what stands after it in the line. False where it is not clear.
 */
static bool read_env(char *rest, char program[PATH_MAX])
{
	char *word;

	while ((word = strsep(&rest, " \t")) != NULL) {
		/* -S and its like, variables */
		if (*word == '\0' || *word == '-' || strchr(word, '='))
			continue;
		return reach_find(word, program) == 0;
	}
	return false;
}

/* The interpreter of a script, from its first line. Returns false where fd is none. */
static bool read_script(int fd, char interpreter[PATH_MAX])
{
	char line[LINE_SIZE], found[PATH_MAX];
	ssize_t n = pread(fd, line, sizeof(line) - 1, 0);
	char *start, *rest;
	const char *slash;

	if (n < 3 || line[0] != '#' || line[1] != '!')
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	rest = line + 2 + strspn(line + 2, " \t");
	start = strsep(&rest, " \t");
	if (*start == '\0')
		return false;
	slash = strrchr(start, '/');
	if (rest && strcmp(slash ? slash + 1 : start, "env") == 0 && read_env(rest, found))
		start = found;
	snprintf(interpreter, PATH_MAX, "%s", start);
	return true;
}

int script_open(const char *path, char final[PATH_MAX])
{
	snprintf(final, PATH_MAX, "%s", path);
	for (int i = 0; i <= SCRIPTS_MAX; i++) {
		int fd = open(final, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

		if (fd < 0)
			return -errno;
		if (!read_script(fd, final))
			return fd;
		close(fd);
	}
	return -ELOOP;
}
