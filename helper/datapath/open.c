// SPDX-License-Identifier: BSD-2-Clause
/* How the maps and programs of a namespace come to be, are opened where they are pinned, and go. */
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper/datapath/intact.h"
#include "helper/datapath/made.h"
#include "helper/datapath/pins.h"

static int pin(int fd, const char *directory, const char *name)
{
	char path[PINS_PATH];

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return -ENAMETOOLONG;
	return bpf_obj_pin(fd, path) < 0 ? -errno : 0;
}

static int pin_all(const int fds[LOAD_OBJECTS], int link, const char *directory)
{
	static const char *const names[LOAD_OBJECTS] = {
		[LOAD_TABLES] = "tables",     [LOAD_SOCKETS] = "sockets",   [LOAD_TRIE] = "trie",
		[LOAD_LOOKUPS] = "lookups",   [LOAD_EVENTS] = "events",	    [LOAD_MEMBERS] = "members",
		[LOAD_BINDINGS] = "bindings", [LOAD_DISPATCH] = "dispatch", [LOAD_PROBE] = "probe",
		[LOAD_FLOWS] = "flows",
	};
	int err = 0;

	for (size_t i = 0; i < LOAD_OBJECTS && !err; i++)
		err = pin(fds[i], directory, names[i]);
	return err ? err : pin(link, directory, "link");
}

static int attach_and_pin(const int fds[LOAD_OBJECTS], const char *path, int netns)
{
	char temporary[PINS_PATH];
	int link, err;

	err = pins_begin(path, temporary, sizeof(temporary));
	if (err)
		return err;
	link = bpf_link_create(fds[LOAD_DISPATCH], netns, BPF_SK_LOOKUP, NULL);
	err = link < 0 ? -errno : pin_all(fds, link, temporary);
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
	char path[PINS_PATH + 16];
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
		{"tables", &d->tables_fd},
		{"sockets", &d->sockets},
		{"trie", &d->trie},
		{"lookups", &d->lookups},
		{"events", &d->events},
		{"members", &d->member_records},
		{"bindings", &d->binding_records},
		{"probe", &d->probe},
		{"flows", &d->flows},
		{"link", &d->link},
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
	if (d->tables->layout != SKL_LAYOUT)
		return -EPROTO;
	return intact_tables(d->tables) ? 0 : -EBADMSG;
}

int datapath_open(struct datapath **out, const char *path)
{
	struct datapath *d = calloc(1, sizeof(*d));
	int err;

	if (!d)
		return -ENOMEM;
	d->tables_fd = d->sockets = d->trie = d->lookups = d->events = -1;
	d->member_records = d->binding_records = d->probe = d->link = -1;
	d->flows = d->reply = -1;
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

/* Maps and programs that belong to no namespace yet: making them takes long enough to be noticed in a
 * listen(). */
static bool prepared;
static int spare[LOAD_OBJECTS];

int datapath_prepare(void)
{
	int err;

	if (prepared)
		return 0;
	libbpf_num_possible_cpus(); /* which it reads from a file, once */
	err = made_dispatch(spare);
	prepared = !err;
	return err;
}

void datapath_unprepare(void)
{
	for (size_t i = 0; prepared && i < LOAD_OBJECTS; i++)
		close(spare[i]);
	prepared = false;
}

/* What was made and cannot be used must not stand in the way of the next attempt. */
static void undo(const char *path)
{
	char link_path[PINS_PATH + 16];
	int link;

	snprintf(link_path, sizeof(link_path), "%s/link", path);
	link = bpf_obj_get(link_path);
	if (link >= 0) {
		bpf_link_detach(link);
		close(link);
	}
	pins_remove(path);
}

int datapath_create(struct datapath **out, const char *path, int netns)
{
	int err = datapath_prepare();

	if (!err)
		err = attach_and_pin(spare, path, netns);
	if (err)
		return err;
	datapath_unprepare();
	err = datapath_open(out, path);
	if (err)
		undo(path);
	return err;
}

void datapath_close(struct datapath *d)
{
	int fds[] = {d->tables_fd,	 d->sockets, d->trie, d->lookups, d->events, d->member_records,
		     d->binding_records, d->probe,   d->link, d->flows,	  d->reply};

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
