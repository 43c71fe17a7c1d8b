// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/undelivered.h"

#include <stddef.h>

/* Its place, or UNDELIVERED_MAX. */
static unsigned int find(const struct undelivered *u, const struct done_call *call)
{
	unsigned int i = call->cookie ? 0 : UNDELIVERED_MAX;

	while (i < UNDELIVERED_MAX &&
	       (u->calls[i].cookie != call->cookie || u->calls[i].is_bind != call->is_bind ||
		u->calls[i].backlog != call->backlog))
		i++;
	return i;
}

const struct done_call *undelivered_find(const struct undelivered *u, const struct done_call *call)
{
	unsigned int i = find(u, call);

	return i < UNDELIVERED_MAX ? &u->calls[i] : NULL;
}

void undelivered_remember(struct undelivered *u, const struct done_call *call)
{
	unsigned int i = find(u, call);

	if (i == UNDELIVERED_MAX)
		i = u->next++ % UNDELIVERED_MAX;
	u->calls[i] = *call;
}

void undelivered_finish(struct undelivered *u, const struct done_call *call)
{
	unsigned int i = find(u, call);

	if (i < UNDELIVERED_MAX)
		u->calls[i].result = call->result;
}

void undelivered_forget(struct undelivered *u, const struct done_call *call)
{
	unsigned int i = find(u, call);

	if (i < UNDELIVERED_MAX)
		u->calls[i].cookie = 0;
}
