// SPDX-License-Identifier: BSD-2-Clause
/* What UDP answers need of BPF: made with the first UDP listener of a namespace, gone with the last. */
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/reply.skel.h"
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

static int make_flows(struct datapath *d)
{
	uint32_t zero = 0;
	int flows = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "flows_lru", sizeof(struct skl_flow_key),
				   sizeof(struct skl_flow), SKL_FLOWS, NULL);
	int err;

	if (flows < 0)
		return flows;
	err = bpf_map_update_elem(d->flows, &zero, &flows, BPF_ANY);
	close(flows);
	fault_point("the memory of flows is made");
	return err;
}

static bool has_flows(const struct datapath *d)
{
	uint32_t zero = 0, id;

	return bpf_map_lookup_elem(d->flows, &zero, &id) == 0;
}

/* NULL, and *err set, or one that is to be destroyed. */
static struct reply_bpf *load(const struct datapath *d, int *err)
{
	struct reply_bpf *skel = reply_bpf__open();

	if (!skel) {
		*err = -errno;
		return NULL;
	}
	*err = bpf_map__reuse_fd(skel->maps.bss, d->tables_fd);
	if (!*err)
		*err = bpf_map__reuse_fd(skel->maps.flows, d->flows);
	if (!*err)
		*err = reply_bpf__load(skel);
	if (!*err)
		*err = shape_read_tag(bpf_program__fd(skel->progs.skl_reply), own_tag);
	if (!*err) {
		knows_own_tag = true;
		return skel;
	}
	reply_bpf__destroy(skel);
	return NULL;
}

static int open_pinned(const struct datapath *d)
{
	char path[PINS_FILE];
	int fd;

	pin_path(d, path, sizeof(path));
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

/* Is what an earlier helper pinned there the program that this version would make? */
static bool is_current(const struct datapath *d, int program)
{
	uint8_t tag[SHAPE_TAG];
	int err = 0;

	if (!knows_own_tag)
		reply_bpf__destroy(load(d, &err));
	/* without one of our own there is nothing better */
	return !knows_own_tag ||
	       (shape_read_tag(program, tag) == 0 && memcmp(tag, own_tag, sizeof(tag)) == 0);
}

/* Flows first: the pin stands for all of it. */
static int make(struct datapath *d)
{
	struct reply_bpf *skel;
	int err = has_flows(d) ? 0 : make_flows(d);

	skel = err ? NULL : load(d, &err);
	if (!skel)
		return err;
	err = upgrade_pin(d->path, SHAPE_REPLY, bpf_program__fd(skel->progs.skl_reply));
	reply_bpf__destroy(skel);
	return err;
}

bool datapath_has_replies(const struct datapath *d)
{
	char path[PINS_FILE];

	pin_path(d, path, sizeof(path));
	return d->reply >= 0 || access(path, F_OK) == 0;
}

int datapath_start_replies(struct datapath *d)
{
	int err = 0;

	if (d->reply >= 0)
		return d->reply;
	d->reply = open_pinned(d);
	if (d->reply >= 0 && has_flows(d) && is_current(d, d->reply))
		return d->reply;
	if (d->reply >= 0)
		close(d->reply);
	err = make(d);
	d->reply = err ? err : open_pinned(d);
	if (d->reply < 0) {
		err = d->reply;
		datapath_stop_replies(d);
		return err;
	}
	return d->reply;
}

void datapath_stop_replies(struct datapath *d)
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
