// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/environment.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/skl.h"

ssize_t environment_compose(char **text)
{
	size_t size = 0;
	FILE *f = open_memstream(text, &size);

	if (!f)
		return -ENOMEM;
	for (char **variable = environ; *variable; variable++) {
		if (strncmp(*variable, "SKL_", 4) == 0)
			fwrite(*variable, 1, strlen(*variable) + 1, f);
	}
	return fclose(f) == 0 ? (ssize_t)size : -ENOMEM;
}

bool environment_has(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

/* As a shell reads it. */
static void print_variable(const char *variable)
{
	const char *value = strchr(variable, '=') + 1;

	printf("%.*s'", (int)(value - variable), variable);
	for (; *value; value++) {
		if (*value == '\'')
			fputs("'\\'", stdout);
		putchar(*value);
	}
	puts("'");
}

void environment_print(const char *path, bool supervised)
{
	for (char **variable = environ; *variable; variable++) {
		if (strncmp(*variable, "SKL_", 4) == 0 ||
		    (!supervised && strncmp(*variable, "LD_PRELOAD=", 11) == 0))
			print_variable(*variable);
	}
	if (supervised)
		complain("%s: would be supervised: variables alone do not cover it", path);
}
