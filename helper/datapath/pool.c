// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/pool.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int pool_init(struct pool *p, uint32_t size)
{
	*p = (struct pool){.size = size, .count = size - 1};
	p->free = malloc(size * sizeof(*p->free));
	p->used = calloc(size, 1);
	if (!p->free || !p->used) {
		pool_clear(p);
		return -ENOMEM;
	}
	for (uint32_t i = 1; i < size; i++)
		p->free[i - 1] = (uint16_t)i;
	return 0;
}

void pool_clear(struct pool *p)
{
	free(p->free);
	free(p->used);
	*p = (struct pool){0};
}

int pool_claim(struct pool *p, uint16_t number)
{
	if (number == 0 || number >= p->size || p->used[number])
		return -EEXIST;
	p->used[number] = 1;
	p->claimed = true;
	return 0;
}

/* Takes the claimed numbers out of the ring. */
static void settle(struct pool *p)
{
	uint32_t kept = 0;

	if (!p->claimed)
		return;
	for (uint32_t i = 1; i < p->size; i++) {
		if (!p->used[i])
			p->free[kept++] = (uint16_t)i;
	}
	p->head = 0;
	p->count = kept;
	p->waiting = kept; /* whatever was given back before is somewhere among them */
	p->claimed = false;
}

/*
 * sk_lookup programs run under rcu_read_lock(), and MEMBARRIER_CMD_GLOBAL is
 * synchronize_rcu() (kernel/sched/membarrier.c). A kernel with nohz_full CPUs
 * refuses it; a tenth of a second is then far more than a program can run.
 */
void pool_grace_period(void)
{
	const struct timespec long_enough = {.tv_nsec = 100000000};

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) < 0)
		nanosleep(&long_enough, NULL);
}

static uint32_t wrap(const struct pool *p, uint32_t at)
{
	return at >= p->size ? at - p->size : at;
}

uint16_t pool_take(struct pool *p)
{
	uint16_t number;

	settle(p);
	if (p->count == 0)
		return 0;
	if (p->waiting >= p->count) {
		pool_grace_period();
		p->waiting = 0;
	}
	number = p->free[p->head];
	p->head = wrap(p, p->head + 1);
	p->count--;
	p->used[number] = 1;
	return number;
}

void pool_give(struct pool *p, uint16_t number)
{
	settle(p);
	if (number == 0 || number >= p->size || !p->used[number])
		return;
	p->used[number] = 0;
	p->free[wrap(p, p->head + p->count)] = number;
	p->count++;
	p->waiting++;
}
