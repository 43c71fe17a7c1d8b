// SPDX-License-Identifier: BSD-2-Clause
/* How the maps and programs of a namespace come to be, are opened where they are pinned, and go. */
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
#include "helper/datapath/shape.h"
#include "helper/datapath/upgrade.h"
#include "helper/fault.h"
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
	char path[PINS_FILE];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (bpf_obj_pin(fd, path) < 0)
		return -errno;
	fault_point("an object of a namespace is pinned");
	return 0;
}

static void list(const struct dispatch_bpf *skel, int link, int fds[SHAPE_OBJECTS])
{
	fds[SHAPE_TABLES] = bpf_map__fd(skel->maps.bss);
	fds[SHAPE_SOCKETS] = bpf_map__fd(skel->maps.sockets);
	fds[SHAPE_TRIE] = bpf_map__fd(skel->maps.trie);
	fds[SHAPE_LOOKUPS] = bpf_map__fd(skel->maps.lookups);
	fds[SHAPE_EVENTS] = bpf_map__fd(skel->maps.events);
	fds[SHAPE_MEMBERS] = bpf_map__fd(skel->maps.member_records);
	fds[SHAPE_BINDINGS] = bpf_map__fd(skel->maps.binding_records);
	fds[SHAPE_FLOWS] = bpf_map__fd(skel->maps.flows);
	fds[SHAPE_DISPATCH] = bpf_program__fd(skel->progs.skl_dispatch);
	fds[SHAPE_PROBE] = bpf_program__fd(skel->progs.skl_probe);
	fds[SHAPE_LINK] = link;
}

static int pin_all(const struct dispatch_bpf *skel, int link, const char *directory)
{
	int fds[SHAPE_OBJECTS], err = 0;

	list(skel, link, fds);
	for (size_t i = 0; i < SHAPE_OBJECTS && !err; i++)
		err = pin(fds[i], directory, shape_pins[i]);
	return err;
}

static int attach_and_pin(const struct dispatch_bpf *skel, const char *path, int netns)
{
	char temporary[PINS_PATH];
	int link, err;

	err = pins_begin(path, temporary, sizeof(temporary));
	if (err)
		return err;
	link = bpf_link_create(bpf_program__fd(skel->progs.skl_dispatch), netns, BPF_SK_LOOKUP, NULL);
	fault_point("the program of a namespace is attached");
	err = link < 0 ? -errno : pin_all(skel, link, temporary);
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

/* All that is pinned in the directory, with the bad before the merely different. */
static int open_all(const char *path, int fds[SHAPE_OBJECTS])
{
	int worst = 0, err;

	if (!pins_is_directory(path)) {
		log_error("%s: is no directory", path);
		return -EBADMSG;
	}
	upgrade_settle(path);
	fds[SHAPE_TABLES] = shape_open(SHAPE_TABLES, path);
	fds[SHAPE_LINK] = shape_open(SHAPE_LINK, path);
	if (fds[SHAPE_LINK] < 0)
		return fds[SHAPE_LINK];
	err = fds[SHAPE_TABLES] < 0 ? fds[SHAPE_TABLES] : check_layout(fds[SHAPE_TABLES]);
	if (err)
		return err;
	for (size_t i = 0; i < SHAPE_OBJECTS; i++) {
		if (fds[i] < 0)
			fds[i] = shape_open((enum shape)i, path);
		if (fds[i] < 0 && worst != -EBADMSG)
			worst = fds[i];
	}
	if (worst != -EBADMSG && !shape_has_no_other(path))
		worst = -EBADMSG;
	if (!worst && !shape_fits(fds)) {
		log_error("%s: its link, program and maps do not belong together", path);
		worst = -EBADMSG;
	}
	return worst;
}

static int map_tables(struct datapath *d)
{
	d->tables =
		mmap(NULL, sizeof(struct skl_tables), PROT_READ | PROT_WRITE, MAP_SHARED, d->tables_fd, 0);
	if (d->tables == MAP_FAILED) {
		d->tables = NULL;
		return -errno;
	}
	return 0;
}

/* The datapath takes the descriptors. */
static void take(struct datapath *d, const int fds[SHAPE_OBJECTS])
{
	d->tables_fd = fds[SHAPE_TABLES];
	d->sockets = fds[SHAPE_SOCKETS];
	d->trie = fds[SHAPE_TRIE];
	d->lookups = fds[SHAPE_LOOKUPS];
	d->events = fds[SHAPE_EVENTS];
	d->member_records = fds[SHAPE_MEMBERS];
	d->binding_records = fds[SHAPE_BINDINGS];
	d->flows = fds[SHAPE_FLOWS];
	d->dispatch = fds[SHAPE_DISPATCH];
	d->probe = fds[SHAPE_PROBE];
	d->link = fds[SHAPE_LINK];
	d->reply = -1;
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
static struct dispatch_bpf *spare;

int datapath_prepare(void)
{
	int fds[SHAPE_OBJECTS], err = 0;

	if (spare)
		return 0;
	libbpf_set_print(to_debug_log);
	spare = try_load(true, &err);
	if (!spare)
		spare = try_load(false, &err);
	if (!spare)
		return err;
	list(spare, -1, fds);
	return shape_learn(fds);
}

void datapath_unprepare(void)
{
	dispatch_bpf__destroy(spare);
	spare = NULL;
}

int datapath_create(struct datapath **out, const char *path, int netns)
{
	int err = datapath_prepare();

	if (!err)
		err = attach_and_pin(spare, path, netns);
	if (err)
		return err;
	datapath_unprepare();
	return datapath_open(out, path);
}

void datapath_close(struct datapath *d)
{
	int fds[] = {d->tables_fd, d->sockets,	       d->trie,	 d->lookups,  d->events, d->member_records,
		     d->flows,	   d->binding_records, d->probe, d->dispatch, d->link,	 d->reply};

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
	fault_point("the program of a namespace is detached");
	err = pins_remove(d->path);
	datapath_close(d);
	return err;
}
