/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers 1..size-1 of array elements that packets being looked up may still
 * read after we stopped using them. A number given back is not given out again
 * before every such packet is done, which is an RCU grace period.
 */
#ifndef SKL_POOL_H
#define SKL_POOL_H

#include <stdbool.h>
#include <stdint.h>

struct pool {
	uint16_t *free; /* ring of what may be given out or is waiting for the grace period */
	uint8_t *used;	/* one byte for each number */
	uint32_t size;
	uint32_t head, count; /* of the ring */
	uint32_t waiting; /* how many of the ring's last ones were given back since the last grace period */
	bool claimed;	  /* numbers were claimed that are still in the ring */
};

/* For elements 1..size-1, size at most 65536. 0 or -ENOMEM. */
int pool_init(struct pool *p, uint32_t size);
void pool_clear(struct pool *p);

/* Marks a number as used that is known from pinned state; 0 or -EEXIST. */
int pool_claim(struct pool *p, uint16_t number);

/* A free number, or 0 when all are used. May wait for a grace period (milliseconds), only when nothing older
 * is free. */
uint16_t pool_take(struct pool *p);

void pool_give(struct pool *p, uint16_t number);

/* Returns when no packet is being looked up any more that was when this was called. */
void pool_grace_period(void);

#endif
