// SPDX-License-Identifier: BSD-2-Clause
#include "helper/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum log_level shown = LOG_INFO;

int log_set_level(const char *word)
{
	static const char *const words[] = {
		[LOG_ERROR] = "error", [LOG_WARN] = "warning", [LOG_NOTICE] = "notice",
		[LOG_INFO] = "info",   [LOG_DEBUG] = "debug",
	};

	for (int i = LOG_ERROR; i <= LOG_DEBUG; i++) {
		if (strcmp(word, words[i]) == 0) {
			shown = i;
			return 0;
		}
	}
	return -EINVAL;
}

/* Is stderr the journal's? The variable alone is inherited by everything that a desktop starts. */
static bool to_journal(void)
{
	static int answer = -1;
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	if (answer < 0)
		answer = stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
			 fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device && st.st_ino == inode;
	return answer;
}

void log_line(enum log_level level, const char *format, ...)
{
	char line[2048];
	int saved = errno, head, n;
	va_list args;

	if (level > shown)
		return;
	head = to_journal() ? snprintf(line, sizeof(line), "<%d>", level)
			    : snprintf(line, sizeof(line), "sklhelper: ");
	va_start(args, format);
	errno = saved;
	n = vsnprintf(line + head, sizeof(line) - (size_t)head - 1, format, args);
	va_end(args);
	if (n < 0)
		return;
	n += head;
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	for (int i = head; i < n; i++) {
		if (line[i] < ' ' || line[i] > '~')
			line[i] = '?';
	}
	line[n++] = '\n';
	/* A log that cannot be written must not stop the helper. */
	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		errno = saved;
	errno = saved;
}
