// SPDX-License-Identifier: BSD-2-Clause
/* Takes over what an earlier helper left: the records in the maps become the table again. */
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/intact.h"
#include "helper/datapath/shape.h"
#include "helper/datapath/upgrade.h"
#include "helper/log.h"

/* The number of the namespace that it is attached to, 0 when that is gone. 0 or -errno. */
static int attached_to(const struct datapath *d, uint32_t *ino)
{
	struct bpf_link_info info = {0};
	uint32_t length = sizeof(info);

	if (bpf_obj_get_info_by_fd(d->link, &info, &length) < 0)
		return -errno;
	*ino = info.netns.netns_ino;
	return 0;
}

int datapath_is_stale(const struct datapath *d)
{
	uint32_t ino = 0;
	int err = attached_to(d, &ino);

	return err ? err : ino == 0;
}

/* Does it belong to a claim that was never done? */
static bool is_unfinished(const struct datapath *d, uint64_t id)
{
	return d->tables->unfinished && id >= d->tables->unfinished;
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
	m.dead = bpf_map_lookup_elem(d->member_records, &key, &record) < 0;
	if (!m.dead) {
		m.cookie = record.cookie;
		m.instance = record.instance;
		m.since = record.since;
		m.uid = record.uid;
		m.pid = record.pid;
		memcpy(m.program, record.program, sizeof(m.program));
		m.program[sizeof(m.program) - 1] = '\0';
		m.dead = bpf_map_lookup_elem(d->sockets, &key, &cookie) < 0 || cookie != record.cookie;
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
		if (record.listener == key && !is_unfinished(d, record.listener_id))
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
	if (is_unfinished(d, b->id) || (b->listener && b->id < b->listener->id))
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
	/* of a claim or a removal that was interrupted */
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

static int compare_listeners(const void *a, const void *b)
{
	const struct listener *x = *(struct listener *const *)a, *y = *(struct listener *const *)b;

	return (x->id > y->id) - (x->id < y->id);
}

static int compare_bindings(const void *a, const void *b)
{
	const struct binding *x = *(struct binding *const *)a, *y = *(struct binding *const *)b;

	return (x->id > y->id) - (x->id < y->id);
}

/* As they were made: a map gives them in no order. */
static void sort(struct table *t)
{
	if (t->n_listeners)
		qsort(t->listeners, t->n_listeners, sizeof(struct listener *), compare_listeners);
	if (t->n_bindings)
		qsort(t->bindings, t->n_bindings, sizeof(struct binding *), compare_bindings);
}

static int read_all(struct datapath *d, struct table *t)
{
	int err = read_listeners(d, t);

	if (!err)
		err = read_bindings(d, t);
	for (size_t i = 0; i < t->n_listeners && !err; i++)
		err = table_add_own(t, t->listeners[i]);
	if (err)
		return err;
	sort(t);
	datapath_forget_unused(d);
	d->tables->unfinished = 0;
	return 0;
}

int datapath_adopt(struct datapath **out, const char *path, uint64_t netns_ino, struct table *t)
{
	struct datapath *d;
	uint32_t ino = 0;
	int err;

	err = datapath_open(&d, path);
	if (err)
		return err;
	err = attached_to(d, &ino);
	if (!err && ino == 0) {
		err = -ESTALE;
	} else if (!err && ino != (uint32_t)netns_ino) {
		log_error("%s: is attached to network namespace %u", pins_shown(path), ino);
		err = -EBADMSG;
	}
	if (!err)
		err = read_all(d, t);
	if (err) {
		table_clear(t);
		datapath_close(d);
		return err;
	}
	err = upgrade_programs(d);
	if (err)
		log_warn("%s: its programs could not be replaced by those of this version, and go on: %s",
			 pins_shown(path), strerror(-err));
	*out = d;
	return 0;
}
