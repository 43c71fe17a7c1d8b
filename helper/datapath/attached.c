// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/attached.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct attached *attached; /* in order */
static size_t n_attached;

/* Where it is, or would have to be. */
static size_t place_of(uint64_t netns, int ifindex)
{
	size_t first = 0, end = n_attached;

	while (first < end) {
		size_t middle = first + (end - first) / 2;
		const struct attached *a = &attached[middle];

		if (a->netns < netns || (a->netns == netns && a->ifindex < ifindex))
			first = middle + 1;
		else
			end = middle;
	}
	return first;
}

struct attached *attached_find(uint64_t netns, int ifindex)
{
	size_t i = place_of(netns, ifindex);

	return i < n_attached && attached[i].netns == netns && attached[i].ifindex == ifindex ? &attached[i]
											      : NULL;
}

int attached_remember(uint64_t netns, int ifindex, int program, bool qdisc_too)
{
	struct attached *a = attached_find(netns, ifindex);

	if (!a) {
		struct attached *larger = reallocarray(attached, n_attached + 1, sizeof(*attached));

		if (!larger)
			return -ENOMEM;
		attached = larger;
		a = &attached[place_of(netns, ifindex)];
		memmove(a + 1, a, (size_t)(attached + n_attached++ - a) * sizeof(*a));
		*a = (struct attached){.netns = netns, .ifindex = ifindex, .seen = true};
	}
	a->program = program;
	a->qdisc_too |= qdisc_too;
	return 0;
}

void attached_begin_look(void)
{
	for (size_t i = 0; i < n_attached; i++)
		attached[i].seen = false;
}

void attached_forget(uint64_t netns, bool all)
{
	size_t kept = 0;

	for (size_t i = 0; i < n_attached; i++) {
		if (attached[i].netns != netns || (!all && attached[i].seen))
			attached[kept++] = attached[i];
	}
	n_attached = kept;
}
