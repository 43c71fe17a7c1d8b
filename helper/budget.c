// SPDX-License-Identifier: BSD-2-Clause
#include "helper/budget.h"

#include <time.h>

static uint64_t until; /* ns; 0: no limit */

static uint64_t used(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void budget_begin(uint64_t ms)
{
	until = ms ? used() + ms * 1000000 : 0;
}

bool budget_is_spent(void)
{
	return until && used() >= until;
}
