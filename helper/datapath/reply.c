// SPDX-License-Identifier: BSD-2-Clause
/* What UDP answers need of BPF: made with the first UDP listener of a namespace, gone with the last. */
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/made.h"

static void pin_path(const struct datapath *d, char *out, size_t size)
{
	snprintf(out, size, "%s/reply", d->path);
}

/* An earlier helper's, if it left one. */
static int adopt(struct datapath *d)
{
	char path[PINS_PATH + 16];

	pin_path(d, path, sizeof(path));
	d->reply = bpf_obj_get(path);
	return d->reply < 0 ? -errno : 0;
}

static int load(struct datapath *d)
{
	int program = made_reply(d->tables_fd, d->flows), err;
	char path[PINS_PATH + 16];

	if (program < 0)
		return program;
	pin_path(d, path, sizeof(path));
	err = bpf_obj_pin(program, path) < 0 ? -errno : 0;
	close(program);
	return err;
}

static void drop(struct datapath *d)
{
	char path[PINS_PATH + 16];
	uint32_t zero = 0;

	pin_path(d, path, sizeof(path));
	unlink(path);
	bpf_map_delete_elem(d->flows, &zero);
	if (d->reply >= 0)
		close(d->reply);
	d->reply = -1;
}

int datapath_start_replies(struct datapath *d)
{
	int err;

	if (d->reply >= 0 || adopt(d) == 0)
		return d->reply;
	err = load(d);
	if (!err)
		err = adopt(d);
	if (err) {
		drop(d);
		return err;
	}
	return d->reply;
}

void datapath_stop_replies(struct datapath *d)
{
	drop(d);
	memset(d->tables->udp_ports, 0, sizeof(d->tables->udp_ports)); /* there is no listener any more */
}
