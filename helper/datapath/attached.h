/* SPDX-License-Identifier: BSD-2-Clause */
/* Which interfaces have the reply program, as far as it is known without asking the kernel for each. */
#ifndef SKL_ATTACHED_H
#define SKL_ATTACHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct attached {
	uint64_t netns;
	int ifindex;
	int program;	/* its id */
	bool qdisc_too; /* the clsact qdisc was made for it */
	bool seen;	/* the interface is still there */
};

/* NULL: nothing is known of it. Valid until the next attached_remember() or attached_forget(). */
struct attached *attached_find(uint64_t netns, int ifindex);

/* 0 or -ENOMEM. A qdisc that was made once was made for it. */
int attached_remember(uint64_t netns, int ifindex, int program, bool qdisc_too);

/* From now on none of them has been seen. */
void attached_begin_look(void);

/* Those of the namespace that have not been seen since, or all of it. */
void attached_forget(uint64_t netns, bool all);

#endif
