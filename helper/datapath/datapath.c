// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "helper/datapath/counters.h"
#include "helper/fault.h"

bool datapath_knows_devices(const struct datapath *d)
{
	return d->tables->has_ingress_ifindex;
}

static uint64_t highest_id;

uint64_t datapath_last_id(const struct datapath *d)
{
	if (highest_id < d->tables->last_id)
		highest_id = d->tables->last_id;
	return highest_id;
}

uint64_t datapath_next_id(struct datapath *d)
{
	highest_id = datapath_last_id(d) + 1;
	d->tables->last_id = highest_id;
	return highest_id;
}

void datapath_begin_claim(struct datapath *d)
{
	d->tables->unfinished = datapath_last_id(d) + 1;
	fault_point("a claim begins");
}

void datapath_end_claim(struct datapath *d)
{
	fault_point("a claim is done");
	d->tables->unfinished = 0;
	fault_point("a claim ends");
}

void datapath_forget_unused(struct datapath *d)
{
	bool unused[SKL_BINDINGS];
	uint32_t key, next;
	bool more = bpf_map_get_next_key(d->member_records, NULL, &next) == 0;

	while (more) {
		key = next;
		more = bpf_map_get_next_key(d->member_records, &key, &next) == 0;
		if (key < SKL_SLOTS && d->slots.used[key])
			continue;
		bpf_map_delete_elem(d->sockets, &key);
		bpf_map_delete_elem(d->member_records, &key);
	}
	for (size_t i = 0; i < SKL_BINDINGS; i++)
		unused[i] = !d->bindings.used[i];
	counters_forget_events(d, unused);
}

static int record_binding(struct datapath *d, const struct binding *b, uint64_t how)
{
	struct skl_binding_record record = {
		.id = b->id,
		.since = b->since,
		.listener = b->listener->members[0].slot,
		.uid = b->uid,
		.port_first = b->rule.first,
		.port_last = b->rule.last,
		.family = b->rule.prefix.family,
		.protocol = b->rule.protocol,
		.prefixlen = b->rule.prefix.length,
		.flags = b->routed ? SKL_BINDING_ROUTED : 0,
	};
	uint32_t index = b->index;

	memcpy(record.address, b->rule.prefix.address, sizeof(record.address));
	return bpf_map_update_elem(d->binding_records, &index, &record, how);
}

int datapath_add_binding(struct datapath *d, struct binding *b)
{
	int err;

	if (b->own)
		return 0;
	b->index = pool_take(&d->bindings);
	if (!b->index)
		return -ENOSPC;
	err = counters_start(d, b->index);
	if (!err)
		err = record_binding(d, b, BPF_NOEXIST);
	if (err)
		pool_give(&d->bindings, b->index);
	fault_point("a binding is recorded");
	return err;
}

int datapath_record_routed(struct datapath *d, struct binding *b, bool routed)
{
	int err;

	b->routed = routed;
	err = record_binding(d, b, BPF_EXIST);
	if (err)
		b->routed = !routed;
	return err;
}

void datapath_remove_bindings(struct datapath *d, struct binding *const *gone, size_t n)
{
	bool numbers[SKL_BINDINGS] = {0};

	for (size_t i = 0; i < n; i++) {
		uint32_t index = gone[i]->index;

		if (gone[i]->own)
			continue;
		numbers[index] = true;
		bpf_map_delete_elem(d->binding_records, &index);
		fault_point("a binding is no longer recorded");
		pool_give(&d->bindings, gone[i]->index);
	}
	if (n)
		counters_forget_events(d, numbers);
}

struct refresh {
	struct datapath *datapath;
	uint8_t protocol;
	int family;
};

static int write_row(void *context, uint16_t first, uint16_t last, const struct binding *const *order,
		     size_t n)
{
	struct refresh *r = context;

	return classes_write(&r->datapath->classes, r->protocol, r->family, first, last, order, n);
}

int datapath_refresh(struct datapath *d, const struct table *t, const struct rule *r)
{
	struct refresh refresh = {.datapath = d, .protocol = r->protocol, .family = r->prefix.family};

	int err = table_rows(t, r->protocol, r->prefix.family, r->first, r->last, write_row, &refresh);

	classes_settle(&d->classes);
	return err;
}

int datapath_clear(struct datapath *d, const struct rule *r)
{
	int err = classes_write(&d->classes, r->protocol, r->prefix.family, r->first, r->last, NULL, 0);

	classes_settle(&d->classes);
	return err;
}
