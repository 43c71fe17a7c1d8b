// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int list_add(char **list, const char *item, char separator)
{
	char *longer;

	if (*item == '\0')
		return -EINVAL;
	if (!*list)
		longer = strdup(item);
	else if (asprintf(&longer, "%s%c%s", *list, separator, item) < 0)
		longer = NULL;
	if (!longer)
		return -ENOMEM;
	free(*list);
	*list = longer;
	return 0;
}
