// SPDX-License-Identifier: BSD-2-Clause
/* What the supervisor tells on the program's stderr. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "helper/cli/skl.h"
#include "helper/cli/supervisor.h"
#include "helper/wire.h"

void remark(const char *format, ...)
{
	static char said[SKL_SAY_MAX + 1];
	char text[sizeof(said)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (*text == '\0' || strcmp(said, text) == 0)
		return;
	memcpy(said, text, sizeof(said));
	complain("%s", text);
}
