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
	return err;
}

static int load(struct datapath *d)
{
	struct reply_bpf *skel = reply_bpf__open();
	char path[PINS_PATH + 16];
	int err;

	if (!skel)
		return -errno;
	pin_path(d, path, sizeof(path));
	err = bpf_map__reuse_fd(skel->maps.bss, d->tables_fd);
	if (!err)
		err = bpf_map__reuse_fd(skel->maps.flows, d->flows);
	if (!err)
		err = reply_bpf__load(skel);
	if (!err)
		err = make_flows(d);
	if (!err)
		err = bpf_obj_pin(bpf_program__fd(skel->progs.skl_reply), path) < 0 ? -errno : 0;
	reply_bpf__destroy(skel);
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
