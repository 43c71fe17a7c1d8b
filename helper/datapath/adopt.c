// SPDX-License-Identifier: BSD-2-Clause
/* Takes over what an earlier helper left: the records in the maps become the table again. */
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "helper/datapath/intact.h"

int datapath_is_stale(const struct datapath *d)
{
	struct bpf_link_info info = {0};
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(d->link, &info, &length) < 0 ? -errno : info.netns.netns_ino == 0;
}

static int read_member(struct datapath *d, struct listener *l, uint16_t slot)
{
	struct skl_member_record record;
	struct member m = {.slot = slot};
	uint32_t key = slot;
	uint64_t cookie = 0;
	int err;

	err = pool_claim(&d->slots, slot);
	if (err)
		return err;
	/* without a record: the place of a member that died before an earlier helper did */
	m.dead = bpf_map_lookup_elem(d->member_records, &key, &record) < 0 ||
		 bpf_map_lookup_elem(d->sockets, &key, &cookie) < 0 || cookie != record.cookie;
	if (!m.dead) {
		m.cookie = record.cookie;
		m.instance = record.instance;
		m.since = record.since;
		m.uid = record.uid;
		m.pid = record.pid;
		memcpy(m.program, record.program, sizeof(m.program));
		m.program[sizeof(m.program) - 1] = '\0';
	}
	return listener_add_member(l, &m);
}

static int read_listener(struct datapath *d, struct table *t, uint16_t head,
			 const struct skl_member_record *record)
{
	struct listener *l = calloc(1, sizeof(*l));
	int err = l ? 0 : -ENOMEM;

	if (!l)
		return err;
	*l = (struct listener){
		.id = record->listener_id,
		.port = record->port,
		.family = record->family,
		.protocol = record->protocol,
		.v6only = record->v6only,
		.reuseport = record->reuseport,
		.ifindex = record->ifindex,
	};
	memcpy(l->address, record->address, sizeof(l->address));
	for (uint16_t slot = head; slot && slot < SKL_SLOTS && l->n_members < SKL_MEMBERS && !err;
	     slot = d->tables->members[slot].next)
		err = read_member(d, l, slot);
	if (!err)
		err = table_add_listener(t, l);
	if (err) {
		free(l->members);
		free(l);
	}
	return err;
}

static int read_listeners(struct datapath *d, struct table *t)
{
	uint32_t key, *previous = NULL, next;
	int err = 0;

	while (!err && bpf_map_get_next_key(d->member_records, previous, &next) == 0) {
		struct skl_member_record record;

		key = next;
		previous = &key;
		if (bpf_map_lookup_elem(d->member_records, &key, &record) < 0)
			return -errno;
		if (!intact_member(d->tables, key, &record))
			return -EBADMSG;
		if (record.listener == key)
			err = read_listener(d, t, (uint16_t)key, &record);
	}
	return err;
}

static struct listener *find_head(const struct table *t, uint32_t slot)
{
	for (size_t i = 0; i < t->n_listeners; i++) {
		if (t->listeners[i]->members[0].slot == slot)
			return t->listeners[i];
	}
	return NULL;
}

static int read_binding(struct datapath *d, struct table *t, uint32_t index)
{
	struct skl_binding_record record;
	struct binding *b;
	int err;

	if (bpf_map_lookup_elem(d->binding_records, &index, &record) < 0)
		return -errno;
	if (!intact_binding(d->tables, index, &record))
		return -EBADMSG;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	*b = (struct binding){
		.id = record.id,
		.since = record.since,
		.listener = find_head(t, record.listener),
		.rule = {.prefix = {.family = record.family, .length = record.prefixlen},
			 .first = record.port_first,
			 .last = record.port_last,
			 .protocol = record.protocol},
		.uid = record.uid,
		.index = (uint16_t)index,
		.routed = record.flags & SKL_BINDING_ROUTED,
	};
	memcpy(b->rule.prefix.address, record.address, sizeof(record.address));
	/* a listener's id is older than its bindings': another one is in the place of theirs */
	if (b->listener && b->id < b->listener->id)
		b->listener = NULL;
	if (b->listener && b->listener->protocol != b->rule.protocol)
		b->listener = NULL;
	err = b->listener ? pool_claim(&d->bindings, b->index) : -ENOENT;
	if (!err)
		err = table_add_binding(t, b);
	if (!err)
		return 0;
	free(b);
	if (err != -ENOENT)
		return err;
	/* its listener was never finished: a claim that was interrupted */
	bpf_map_delete_elem(d->binding_records, &index);
	return 0;
}

static int read_bindings(struct datapath *d, struct table *t)
{
	uint32_t key, next;
	bool more = bpf_map_get_next_key(d->binding_records, NULL, &next) == 0;
	int err = 0;

	while (more && !err) {
		key = next;
		more = bpf_map_get_next_key(d->binding_records, &key, &next) == 0;
		err = read_binding(d, t, key);
	}
	return err;
}

int datapath_adopt(struct datapath **out, const char *path, struct table *t)
{
	struct datapath *d;
	int err;

	err = datapath_open(&d, path);
	if (err)
		return err;
	err = datapath_is_stale(d);
	if (err > 0)
		err = -ESTALE;
	if (!err)
		err = read_listeners(d, t);
	if (!err)
		err = read_bindings(d, t);
	for (size_t i = 0; i < t->n_listeners && !err; i++)
		err = table_add_own(t, t->listeners[i]);
	if (err) {
		table_clear(t);
		datapath_close(d);
		return err;
	}
	*out = d;
	return 0;
}
