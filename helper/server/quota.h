/* SPDX-License-Identifier: BSD-2-Clause */
/* How often users ask: each has a limit, and their requests take turns. */
#ifndef SKL_QUOTA_H
#define SKL_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QUOTA_USERS 256 /* of whom it is remembered; those who asked for long ago are forgotten first */

struct asker {
	uint32_t uid;
	uint64_t paid_until; /* ns: each request moves it on from the present */
	uint64_t told;	     /* ns: when the log last said that he asks too often */
	uint64_t turn;	     /* when he was served last, counted; 0: never */
};

struct askers {
	struct asker at[QUOTA_USERS];
	size_t n;
	uint64_t turns;
	uint64_t forgotten; /* the last turn of who is not remembered: newcomers are not all before who waits
			     */
};

/*
 * One request of the user, who may make `per_second` of them, and after a pause
 * as many at once (UINT32_MAX: any number). Returns 0, or the milliseconds after
 * which he may make one.
 */
uint32_t quota_take(struct askers *a, uint32_t uid, uint32_t per_second, uint64_t now_ns);

/* Is it worth a line in the log that he asks too often? Once a second. */
bool quota_is_news(struct askers *a, uint32_t uid, uint64_t now_ns);

/* When was he served last? The lower, the longer ago. */
uint64_t quota_turn(const struct askers *a, uint32_t uid);

/* He is served now. */
void quota_serve(struct askers *a, uint32_t uid);

#endif
