// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/quota.h"

#define SECOND 1000000000u /* ns */

static struct asker *find(struct askers *a, uint32_t uid)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->at[i].uid == uid)
			return &a->at[i];
	}
	return NULL;
}

/* His place, or that of whom it does least harm to forget. */
static struct asker *get(struct askers *a, uint32_t uid)
{
	struct asker *one = find(a, uid);

	if (one)
		return one;
	if (a->n < QUOTA_USERS) {
		one = &a->at[a->n++];
	} else {
		one = &a->at[0];
		for (size_t i = 1; i < a->n; i++) {
			if (a->at[i].paid_until < one->paid_until)
				one = &a->at[i];
		}
		a->forgotten = one->turn > a->forgotten ? one->turn : a->forgotten;
	}
	*one = (struct asker){.uid = uid, .turn = a->forgotten};
	return one;
}

uint32_t quota_take(struct askers *a, uint32_t uid, uint32_t per_second, uint64_t now_ns)
{
	struct asker *one = get(a, uid);
	uint64_t from = one->paid_until > now_ns ? one->paid_until : now_ns, ahead;

	if (per_second == UINT32_MAX)
		return 0;
	ahead = from + SECOND / per_second - now_ns;
	if (ahead > SECOND)
		return (uint32_t)((ahead - SECOND + 999999) / 1000000);
	one->paid_until = now_ns + ahead;
	return 0;
}

bool quota_is_news(struct askers *a, uint32_t uid, uint64_t now_ns)
{
	struct asker *one = get(a, uid);

	if (one->told && now_ns - one->told < SECOND)
		return false;
	one->told = now_ns;
	return true;
}

uint64_t quota_turn(const struct askers *a, uint32_t uid)
{
	for (size_t i = 0; i < a->n; i++) {
		if (a->at[i].uid == uid)
			return a->at[i].turn;
	}
	return a->forgotten;
}

void quota_serve(struct askers *a, uint32_t uid)
{
	get(a, uid)->turn = ++a->turns;
}
