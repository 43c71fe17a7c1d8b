// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/counters.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdlib.h>
#include <string.h>

/* Reads the number of possible CPUs once: the size of a per-CPU value. */
static int cpus(void)
{
	static int n;

	if (n == 0)
		n = libbpf_num_possible_cpus();
	return n;
}

int counters_start(const struct datapath *d, uint32_t binding)
{
	uint64_t zero[cpus()];

	memset(zero, 0, sizeof(zero));
	return bpf_map_update_elem(d->lookups, &binding, zero, BPF_ANY);
}

void counters_forget_events(const struct datapath *d, const bool gone[SKL_BINDINGS])
{
	struct skl_event key, next;
	bool more = bpf_map_get_next_key(d->events, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(d->events, &key, &next) == 0;
		if (key.binding < SKL_BINDINGS && gone[key.binding])
			bpf_map_delete_elem(d->events, &key);
	}
}

struct datapath_events *datapath_read_events(const struct datapath *d)
{
	struct datapath_events *all = calloc(SKL_BINDINGS, sizeof(*all));
	struct skl_event key, *previous = NULL, next;
	uint64_t count;

	while (all && bpf_map_get_next_key(d->events, previous, &next) == 0) {
		key = next;
		previous = &key;
		if (key.binding >= SKL_BINDINGS || bpf_map_lookup_elem(d->events, &key, &count) < 0)
			continue;
		if (key.reason == 0)
			all[key.binding].misses += count;
		else
			all[key.binding].errors += count;
	}
	return all;
}

uint64_t datapath_errors(const struct datapath *d, const struct binding *b, int error)
{
	struct skl_event key = {.binding = b->index, .reason = -error};
	uint64_t count;

	return bpf_map_lookup_elem(d->events, &key, &count) < 0 ? 0 : count;
}

uint64_t datapath_lookups(const struct datapath *d, const struct binding *b)
{
	uint64_t by_cpu[cpus()], sum = 0;
	uint32_t index = b->index;

	if (bpf_map_lookup_elem(d->lookups, &index, by_cpu) < 0)
		return 0;
	for (int i = 0; i < cpus(); i++)
		sum += by_cpu[i];
	return sum;
}
