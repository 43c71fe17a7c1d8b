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
#include "helper/datapath/shape.h"
#include "helper/datapath/upgrade.h"
#include "helper/fault.h"
#include "helper/log.h"

static int pin(int fd, const char *directory, const char *name)
{
	char path[PINS_FILE];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (bpf_obj_pin(fd, path) < 0)
		return -errno;
	fault_point("an object of a namespace is pinned");
	return 0;
}

static int pin_all(const int fds[LOAD_OBJECTS], int link, const char *directory)
{
	int err = 0;

	for (size_t i = 0; i < LOAD_OBJECTS && !err; i++)
		err = pin(fds[i], directory, shape_pins[i]);
	return err ? err : pin(link, directory, shape_pins[SHAPE_LINK]);
}

static int attach_and_pin(const int fds[LOAD_OBJECTS], const char *path, int netns)
{
	char temporary[PINS_PATH];
	int link, err;

	err = pins_begin(path, temporary, sizeof(temporary));
	if (err)
		return err;
	link = bpf_link_create(fds[LOAD_DISPATCH], netns, BPF_SK_LOOKUP, NULL);
	fault_point("the program of a namespace is attached");
	err = link < 0 ? -errno : pin_all(fds, link, temporary);
	if (!err)
		err = pins_commit(temporary, path);
	if (err)
		pins_remove(temporary);
	if (link >= 0)
		close(link);
	return err;
}

/*
 * What tells versions apart is the first number in `tables`. Its size may be
 * another's, too, and what a later version pins beside it.
 */
static int check_layout(int tables)
{
	const struct skl_tables *first = mmap(NULL, sizeof(first->layout), PROT_READ, MAP_SHARED, tables, 0);
	uint32_t layout;

	if (first == MAP_FAILED)
		return -errno;
	layout = first->layout;
	munmap((void *)first, sizeof(first->layout));
	if (layout == SKL_LAYOUT)
		return 0;
	return layout ? -EPROTO : -EBADMSG;
}

/*
 * All that is pinned in the directory. Of another version only what tells that
 * it is one is looked at; of ours everything must be as it was made.
 */
static int open_all(const char *path, int fds[SHAPE_OBJECTS])
{
	int worst = 0, err;

	err = pins_check_directory(path);
	if (err) {
		log_error("%s: %s", pins_shown(path), err == -EBADMSG ? "is no directory" : strerror(-err));
		return err;
	}
	upgrade_settle(path);
	fds[LOAD_TABLES] = shape_open(LOAD_TABLES, path);
	fds[SHAPE_LINK] = shape_open(SHAPE_LINK, path);
	if (fds[SHAPE_LINK] < 0)
		return fds[SHAPE_LINK];
	err = fds[LOAD_TABLES] < 0 ? fds[LOAD_TABLES] : check_layout(fds[LOAD_TABLES]);
	if (err)
		return err;
	err = shape_check_names(path);
	if (err)
		return err;
	for (int i = 0; i < SHAPE_OBJECTS; i++) {
		if (fds[i] < 0)
			fds[i] = shape_open(i, path);
		if (fds[i] < 0 && worst != -EBADMSG)
			worst = fds[i];
	}
	if (worst)
		return worst;
	err = shape_check_fit(fds);
	if (err == -EBADMSG)
		log_error("%s: its link, program and maps do not belong together", pins_shown(path));
	return err;
}

static int map_tables(struct datapath *d)
{
	d->tables =
		mmap(NULL, sizeof(struct skl_tables), PROT_READ | PROT_WRITE, MAP_SHARED, d->tables_fd, 0);
	if (d->tables == MAP_FAILED) {
		d->tables = NULL;
		return -errno;
	}
	if (intact_tables(d->tables))
		return 0;
	log_error("%s: its tables are damaged", pins_shown(d->path));
	return -EBADMSG;
}

/* The datapath takes the descriptors. */
static void take(struct datapath *d, const int fds[SHAPE_OBJECTS])
{
	d->tables_fd = fds[LOAD_TABLES];
	d->sockets = fds[LOAD_SOCKETS];
	d->trie = fds[LOAD_TRIE];
	d->lookups = fds[LOAD_LOOKUPS];
	d->events = fds[LOAD_EVENTS];
	d->member_records = fds[LOAD_MEMBERS];
	d->binding_records = fds[LOAD_BINDINGS];
	d->flows = fds[LOAD_FLOWS];
	d->dispatch = fds[LOAD_DISPATCH];
	d->probe = fds[LOAD_PROBE];
	d->link = fds[SHAPE_LINK];
	d->reply = -1;
}

void datapath_maps(const struct datapath *d, int maps[LOAD_MAPS])
{
	maps[LOAD_TABLES] = d->tables_fd;
	maps[LOAD_SOCKETS] = d->sockets;
	maps[LOAD_TRIE] = d->trie;
	maps[LOAD_LOOKUPS] = d->lookups;
	maps[LOAD_EVENTS] = d->events;
	maps[LOAD_MEMBERS] = d->member_records;
	maps[LOAD_BINDINGS] = d->binding_records;
	maps[LOAD_FLOWS] = d->flows;
}

int datapath_open(struct datapath **out, const char *path)
{
	struct datapath *d = calloc(1, sizeof(*d));
	int fds[SHAPE_OBJECTS], err;

	if (!d)
		return -ENOMEM;
	for (size_t i = 0; i < SHAPE_OBJECTS; i++)
		fds[i] = -1;
	snprintf(d->path, sizeof(d->path), "%s", path);
	err = open_all(path, fds);
	take(d, fds);
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

void datapath_unprepare(void)
{
	for (size_t i = 0; prepared && i < LOAD_OBJECTS; i++)
		close(spare[i]);
	prepared = false;
}

int datapath_prepare(void)
{
	int err;

	if (prepared)
		return 0;
	libbpf_num_possible_cpus(); /* which it reads from a file, once */
	err = made_dispatch(spare);
	if (err)
		return err;
	prepared = true;
	err = shape_learn(spare);
	if (err)
		datapath_unprepare();
	return err;
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
		pins_remove(path); /* so that it is not in the way of the next attempt */
	return err;
}

void datapath_close(struct datapath *d)
{
	int fds[] = {d->tables_fd, d->sockets,	       d->trie,	 d->lookups,  d->events, d->member_records,
		     d->flows,	   d->binding_records, d->probe, d->dispatch, d->link,	 d->reply};

	datapath_untrace(d);
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

	datapath_untrace(d);
	/* before the pins: a pin that somebody else holds must not keep the program attached */
	bpf_link_detach(d->link);
	fault_point("the program of a namespace is detached");
	err = pins_remove(d->path);
	datapath_close(d);
	return err;
}
