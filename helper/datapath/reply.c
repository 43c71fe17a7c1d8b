// SPDX-License-Identifier: BSD-2-Clause
/* What UDP answers need of BPF: made with the first UDP listener of a namespace, gone with the last. */
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/made.h"
#include "helper/datapath/shape.h"
#include "helper/datapath/upgrade.h"
#include "helper/fault.h"

/* Of the program that this version makes, once one was made. */
static uint8_t own_tag[SHAPE_TAG];
static bool knows_own_tag;

static void pin_path(const struct datapath *d, char *out, size_t size)
{
	snprintf(out, size, "%s/" SHAPE_REPLY, d->path);
}

static int open_pinned(const struct datapath *d)
{
	char path[PINS_FILE];
	int fd;

	pin_path(d, path, sizeof(path));
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

static int make(const struct datapath *d)
{
	int program = made_reply(d->tables_fd, d->flows);

	if (program >= 0)
		knows_own_tag = shape_read_tag(program, own_tag) == 0;
	return program;
}

/* Is what an earlier helper pinned there the program that this version would make? */
static bool is_current(const struct datapath *d, int program)
{
	uint8_t tag[SHAPE_TAG];
	int own;

	if (!knows_own_tag) {
		own = make(d);
		if (own >= 0)
			close(own);
	}
	/* without one of our own there is nothing better */
	return !knows_own_tag ||
	       (shape_read_tag(program, tag) == 0 && memcmp(tag, own_tag, sizeof(tag)) == 0);
}

/* The pin stands for all that there is of it: there before any interface has the program, and until none has.
 */
static int make_and_pin(struct datapath *d)
{
	int program = make(d), err;

	if (program < 0)
		return program;
	err = upgrade_pin(d->path, SHAPE_REPLY, program);
	if (!err)
		return program;
	close(program);
	return err;
}

static void drop(struct datapath *d)
{
	char path[PINS_FILE];
	uint32_t zero = 0;

	pin_path(d, path, sizeof(path));
	unlink(path);
	fault_point("the reply program is no longer pinned");
	bpf_map_delete_elem(d->flows, &zero);
	if (d->reply >= 0)
		close(d->reply);
	d->reply = -1;
}

bool datapath_has_replies(const struct datapath *d)
{
	int pinned = d->reply >= 0 ? -ENOENT : open_pinned(d);

	if (pinned >= 0)
		close(pinned);
	return d->reply >= 0 || pinned >= 0;
}

int datapath_start_replies(struct datapath *d)
{
	int program;

	if (d->reply >= 0)
		return d->reply;
	program = open_pinned(d);
	if (program >= 0 && !is_current(d, program)) {
		close(program);
		program = -ENOENT;
	}
	if (program < 0)
		program = make_and_pin(d);
	if (program < 0)
		drop(d);
	else
		d->reply = program;
	return program;
}

void datapath_stop_replies(struct datapath *d)
{
	drop(d);
	memset(d->tables->udp_ports, 0, sizeof(d->tables->udp_ports)); /* there is no listener any more */
}
