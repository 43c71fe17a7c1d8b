// SPDX-License-Identifier: BSD-2-Clause
/* How the maps and programs of a namespace come to be, are found again, and go. */
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bpf/dispatch.skel.h"
#include "helper/datapath/pins.h"
#include "helper/log.h"

static int to_debug_log(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("%s", line);
	return 0;
}

static struct dispatch_bpf *try_load(bool with_ifindex, int *err)
{
	struct dispatch_bpf *skel = dispatch_bpf__open();

	if (!skel) {
		*err = -errno;
		return NULL;
	}
	skel->rodata->has_ingress_ifindex = with_ifindex;
	*err = dispatch_bpf__load(skel);
	if (!*err) {
		skel->bss->tables.layout = SKL_LAYOUT;
		skel->bss->tables.has_ingress_ifindex = with_ifindex;
		return skel;
	}
	dispatch_bpf__destroy(skel);
	return NULL;
}

static int pin(int fd, const char *directory, const char *name)
{
	char path[4200];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

static int pin_all(const struct dispatch_bpf *skel, int link, const char *directory)
{
	const struct {
		const char *name;
		int fd;
	} objects[] = {
		{"tables", bpf_map__fd(skel->maps.bss)},
		{"sockets", bpf_map__fd(skel->maps.sockets)},
		{"trie", bpf_map__fd(skel->maps.trie)},
		{"lookups", bpf_map__fd(skel->maps.lookups)},
		{"events", bpf_map__fd(skel->maps.events)},
		{"members", bpf_map__fd(skel->maps.member_records)},
		{"bindings", bpf_map__fd(skel->maps.binding_records)},
		{"dispatch", bpf_program__fd(skel->progs.skl_dispatch)},
		{"probe", bpf_program__fd(skel->progs.skl_probe)},
		{"link", link},
	};

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		int err = pin(objects[i].fd, directory, objects[i].name);

		if (err)
			return err;
	}
	return 0;
}

static int attach_and_pin(const struct dispatch_bpf *skel, const char *path, int netns)
{
	char temporary[4200];
	int link, err;

	err = pins_begin(path, temporary, sizeof(temporary));
	if (err)
		return err;
	link = bpf_link_create(bpf_program__fd(skel->progs.skl_dispatch), netns, BPF_SK_LOOKUP, NULL);
	err = link < 0 ? -errno : pin_all(skel, link, temporary);
	if (!err)
		err = pins_commit(temporary, path);
	if (err)
		pins_remove(temporary);
	if (link >= 0)
		close(link);
	return err;
}

static int get_pinned(const struct datapath *d, const char *name)
{
	char path[4200];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int open_pinned(struct datapath *d)
{
	struct {
		const char *name;
		int *fd;
	} objects[] = {
		{"tables", &d->tables_fd},	   {"sockets", &d->sockets}, {"trie", &d->trie},
		{"lookups", &d->lookups},	   {"events", &d->events},   {"members", &d->member_records},
		{"bindings", &d->binding_records}, {"probe", &d->probe},     {"link", &d->link},
	};

	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		*objects[i].fd = get_pinned(d, objects[i].name);
		if (*objects[i].fd < 0)
			return *objects[i].fd;
	}
	return 0;
}

static int map_tables(struct datapath *d)
{
	struct bpf_map_info info = {0};
	uint32_t length = sizeof(info);

	if (bpf_obj_get_info_by_fd(d->tables_fd, &info, &length) < 0)
		return -errno;
	if (info.value_size != sizeof(struct skl_tables))
		return -EPROTO;
	d->tables =
		mmap(NULL, sizeof(struct skl_tables), PROT_READ | PROT_WRITE, MAP_SHARED, d->tables_fd, 0);
	if (d->tables == MAP_FAILED) {
		d->tables = NULL;
		return -errno;
	}
	return d->tables->layout == SKL_LAYOUT ? 0 : -EPROTO;
}

static int open_at(struct datapath **out, const char *path)
{
	struct datapath *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->tables_fd = d->sockets = d->trie = d->lookups = d->events = -1;
	d->member_records = d->binding_records = d->probe = d->link = -1;
	snprintf(d->path, sizeof(d->path), "%s", path);
	err = open_pinned(d);
	if (!err)
		err = map_tables(d);
	if (!err)
		err = pool_init(&d->slots, SKL_SLOTS);
	if (!err)
		err = pool_init(&d->bindings, SKL_BINDINGS);
	if (!err)
		err = classes_init(&d->classes, d->tables, d->trie);
	if (err) {
		datapath_close(d);
		return err;
	}
	*out = d;
	return 0;
}

int datapath_create(struct datapath **out, const char *path, int netns)
{
	struct dispatch_bpf *skel;
	int err;

	libbpf_set_print(to_debug_log);
	skel = try_load(true, &err);
	if (!skel)
		skel = try_load(false, &err);
	if (!skel)
		return err;
	err = attach_and_pin(skel, path, netns);
	dispatch_bpf__destroy(skel);
	return err ? err : open_at(out, path);
}

void datapath_close(struct datapath *d)
{
	int fds[] = {d->tables_fd,	d->sockets,	    d->trie,  d->lookups, d->events,
		     d->member_records, d->binding_records, d->probe, d->link};

	classes_clear(&d->classes);
	pool_clear(&d->slots);
	pool_clear(&d->bindings);
	if (d->tables)
		munmap(d->tables, sizeof(*d->tables));
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
	free(d);
}

int datapath_remove(struct datapath *d)
{
	int err;

	/* before the pins: a pin that somebody else holds must not keep the program attached */
	bpf_link_detach(d->link);
	err = pins_remove(d->path);
	datapath_close(d);
	return err;
}

/* Has the namespace gone that this was attached to? */
static bool is_stale(const struct datapath *d)
{
	struct bpf_link_info info = {0};
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(d->link, &info, &length) < 0 || info.netns.netns_ino == 0;
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
	};
	memcpy(b->rule.prefix.address, record.address, sizeof(record.address));
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

	libbpf_set_print(to_debug_log);
	err = open_at(&d, path);
	if (err)
		return err;
	if (is_stale(d))
		err = -ESTALE;
	if (!err)
		err = read_listeners(d, t);
	if (!err)
		err = read_bindings(d, t);
	if (err) {
		table_clear(t);
		datapath_close(d);
		return err;
	}
	*out = d;
	return 0;
}
