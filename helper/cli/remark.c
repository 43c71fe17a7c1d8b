// SPDX-License-Identifier: BSD-2-Clause
/* What the supervisor tells on the program's stderr. */
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/skl.h"
#include "helper/cli/supervisor.h"
#include "helper/wire.h"

#define PATIENCE_MS 100
#define REMARKS	    16 /* that are remembered */

bool remark_is_taken(void)
{
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};

	return poll(&out, 1, PATIENCE_MS) > 0;
}

void remark(const char *format, ...)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	static char said[REMARKS][SKL_SAY_MAX + 1];
	static unsigned int n;
	char text[sizeof(said[0])];
	bool is_new;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	pthread_mutex_lock(&lock);
	is_new = *text != '\0';
	for (int i = 0; i < REMARKS; i++)
		is_new = is_new && strcmp(said[i], text) != 0;
	if (is_new)
		snprintf(said[n++ % REMARKS], sizeof(said[0]), "%s", text);
	pthread_mutex_unlock(&lock);
	if (is_new && remark_is_taken())
		complain("%s", text);
}
