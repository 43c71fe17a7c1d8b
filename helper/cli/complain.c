// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/skl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/text.h"

void complain(const char *format, ...)
{
	char message[8192], out[2 * sizeof(message)];
	int saved = errno;
	size_t used = 0;
	va_list args;
	char *line, *rest = message;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);

	while ((line = strsep(&rest, "\n")) != NULL) {
		int n;

		if (*line == '\0')
			continue;
		text_make_printable(line);
		n = snprintf(out + used, sizeof(out) - used, "skl: %s\n", line);
		if (n < 0 || (size_t)n >= sizeof(out) - used)
			break;
		used += (size_t)n;
	}
	/* nobody is left to be told when stderr does not take it */
	if (write(STDERR_FILENO, out, used) < 0) {
	}
	errno = saved;
}

void complain_option(int c, char **argv)
{
	/* a long option is the word before the next one; optopt is then 0, or the value of a known one */
	const char *word = argv[optind - 1];
	char letter[] = {'-', (char)optopt, '\0'};
	const char *option = strncmp(word, "--", 2) == 0 || optopt == 0 ? word : letter;

	if (c == ':')
		complain("%s: a value must follow: see `skl help %s`", option, argv[0]);
	else
		complain("%s: no such option: see `skl help %s`", option, argv[0]);
}
