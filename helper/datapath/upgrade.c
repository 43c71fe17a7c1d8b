// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/upgrade.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/shape.h"
#include "helper/fault.h"
#include "helper/log.h"

static void pin_path(const char *directory, const char *prefix, const char *name, char out[PINS_FILE])
{
	snprintf(out, PINS_FILE, "%s/%s%s", directory, prefix, name);
}

static int pin_next(const char *directory, const char *name, int program)
{
	char next[PINS_FILE];

	pin_path(directory, SHAPE_NEXT, name, next);
	unlink(next);
	if (bpf_obj_pin(program, next) < 0)
		return -errno;
	fault_point("the next program is pinned");
	return 0;
}

static int commit_next(const char *directory, const char *name)
{
	char next[PINS_FILE], path[PINS_FILE];

	pin_path(directory, SHAPE_NEXT, name, next);
	pin_path(directory, "", name, path);
	if (rename(next, path) < 0)
		return -errno;
	fault_point("the next program has the pin");
	return 0;
}

static void drop_next(const char *directory, const char *name)
{
	char next[PINS_FILE];

	pin_path(directory, SHAPE_NEXT, name, next);
	unlink(next);
}

int upgrade_pin(const char *directory, const char *name, int program)
{
	int err = pin_next(directory, name, program);

	if (!err)
		err = commit_next(directory, name);
	if (err)
		drop_next(directory, name);
	return err;
}

static int load(const struct datapath *d, int *dispatch, int *probe)
{
	int maps[LOAD_MAPS];

	datapath_maps(d, maps);
	return load_over(maps, d->tables->has_ingress_ifindex, dispatch, probe);
}

/*
 * The new program's pin is there before it runs, so that whoever comes after a
 * helper that was killed in between finds out which one does (upgrade_settle()).
 */
int upgrade_lend(const struct datapath *d, int program)
{
	int err = pin_next(d->path, shape_pins[LOAD_DISPATCH], program);

	if (err)
		return err;
	if (bpf_link_update(d->link, program, NULL) < 0) {
		err = -errno;
		drop_next(d->path, shape_pins[LOAD_DISPATCH]);
		return err;
	}
	fault_point("the next program runs");
	return 0;
}

int upgrade_return(const struct datapath *d)
{
	if (bpf_link_update(d->link, d->dispatch, NULL) < 0)
		return -errno;
	drop_next(d->path, shape_pins[LOAD_DISPATCH]);
	return 0;
}

static int replace_dispatch(struct datapath *d, int program)
{
	int err = upgrade_lend(d, program);

	return err ? err : commit_next(d->path, shape_pins[LOAD_DISPATCH]);
}

/* The datapath takes both programs. */
static int replace(struct datapath *d, int dispatch, int probe)
{
	int err = upgrade_pin(d->path, shape_pins[LOAD_PROBE], probe);

	if (err) {
		close(probe);
		close(dispatch);
		return err;
	}
	close(d->probe);
	d->probe = probe;
	err = replace_dispatch(d, dispatch);
	if (err) {
		close(dispatch);
		return err;
	}
	close(d->dispatch);
	d->dispatch = dispatch;
	return 0;
}

int upgrade_programs(struct datapath *d)
{
	int dispatch, probe, err;

	if (!shape_is_other_program(LOAD_DISPATCH, d->dispatch) &&
	    !shape_is_other_program(LOAD_PROBE, d->probe))
		return 0;
	err = load(d, &dispatch, &probe);
	if (!err)
		err = replace(d, dispatch, probe);
	if (!err)
		log_notice("%s: its programs were replaced by those of this version", pins_shown(d->path));
	return err;
}

static int program_id_at(const char *directory, const char *prefix, const char *name, uint32_t *id)
{
	char path[PINS_FILE];
	int fd;

	pin_path(directory, prefix, name, path);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return -errno;
	*id = shape_program_id(fd);
	close(fd);
	return 0;
}

static uint32_t running(const char *directory)
{
	char path[PINS_FILE];
	struct bpf_link_info info = {0};
	uint32_t length = sizeof(info);
	int link;

	pin_path(directory, "", shape_pins[SHAPE_LINK], path);
	link = bpf_obj_get(path);
	if (link < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(link, &info, &length) < 0 || info.type != BPF_LINK_TYPE_NETNS)
		info.prog_id = 0;
	close(link);
	return info.prog_id;
}

void upgrade_settle(const char *directory)
{
	uint32_t next = 0;

	drop_next(directory, shape_pins[LOAD_PROBE]);
	drop_next(directory, SHAPE_REPLY);
	if (program_id_at(directory, SHAPE_NEXT, shape_pins[LOAD_DISPATCH], &next) < 0)
		return;
	if (next && next == running(directory))
		commit_next(directory, shape_pins[LOAD_DISPATCH]);
	else
		drop_next(directory, shape_pins[LOAD_DISPATCH]);
}
