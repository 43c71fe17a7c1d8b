// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/duration.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MS 86400000l

int duration_parse(const char *text, long *ms)
{
	static const struct {
		const char *unit;
		long ms;
	} units[] = {{"", 1000}, {"s", 1000}, {"ms", 1}, {"m", 60000}, {"h", 3600000}};
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit) != 0)
			continue;
		if (errno || value > (unsigned long)(DAY_MS / units[i].ms))
			return -EINVAL;
		*ms = (long)value * units[i].ms;
		return 0;
	}
	return -EINVAL;
}
