// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

#include "bpf/maps.h"
#include "bpf/dispatch.skel.h"
#include "bpf/reply.skel.h"
#include "helper/datapath/load_parts.h"
#include "helper/fault.h"

static int copy_all(const struct dispatch_bpf *skel, int fds[LOAD_OBJECTS])
{
	int made[LOAD_OBJECTS] = {
		[LOAD_DISPATCH] = bpf_program__fd(skel->progs.skl_dispatch),
		[LOAD_PROBE] = bpf_program__fd(skel->progs.skl_probe),
	};

	load_maps(skel->obj, made);
	return load_copy(made, fds, LOAD_OBJECTS);
}

int load_dispatch(int fds[LOAD_OBJECTS])
{
	libbpf_print_fn_t before = load_quietly();
	struct dispatch_bpf *skel = dispatch_bpf__open();
	int err = skel ? 0 : -errno;

	if (!err) {
		skel->rodata->has_ingress_ifindex = load_tells_ifindex();
		err = dispatch_bpf__load(skel);
	}
	if (!err) {
		skel->bss->tables.layout = SKL_LAYOUT;
		skel->bss->tables.has_ingress_ifindex = skel->rodata->has_ingress_ifindex;
		err = copy_all(skel, fds);
	}
	dispatch_bpf__destroy(skel);
	libbpf_set_print(before);
	return err;
}

static int copy_programs(const struct dispatch_bpf *skel, int *dispatch, int *probe)
{
	const int made[] = {bpf_program__fd(skel->progs.skl_dispatch),
			    bpf_program__fd(skel->progs.skl_probe)};
	int copies[2], err = load_copy(made, copies, 2);

	if (err)
		return err;
	*dispatch = copies[0];
	*probe = copies[1];
	return 0;
}

int load_over(const int maps[LOAD_MAPS], bool has_ingress_ifindex, int *dispatch, int *probe)
{
	libbpf_print_fn_t before = load_quietly();
	struct dispatch_bpf *skel = dispatch_bpf__open();
	int err = skel ? 0 : -errno;

	if (!err) {
		skel->rodata->has_ingress_ifindex = has_ingress_ifindex;
		err = load_reuse(skel->obj, maps);
	}
	if (!err)
		err = dispatch_bpf__load(skel);
	if (!err)
		err = copy_programs(skel, dispatch, probe);
	dispatch_bpf__destroy(skel);
	libbpf_set_print(before);
	return err;
}

static int make_flows(int flows)
{
	uint32_t zero = 0, id;
	int made, err;

	if (bpf_map_lookup_elem(flows, &zero, &id) == 0)
		return 0;
	made = bpf_map_create(BPF_MAP_TYPE_LRU_HASH, "flows_lru", sizeof(struct skl_flow_key),
			      sizeof(struct skl_flow), SKL_FLOWS, NULL);
	if (made < 0)
		return made;
	err = bpf_map_update_elem(flows, &zero, &made, BPF_ANY);
	close(made);
	fault_point("the memory of flows is made");
	return err;
}

int load_reply(int tables, int flows)
{
	libbpf_print_fn_t before = load_quietly();
	struct reply_bpf *skel = reply_bpf__open();
	int err = skel ? 0 : -errno, program = -1;

	if (!err)
		err = bpf_map__reuse_fd(skel->maps.bss, tables);
	if (!err)
		err = bpf_map__reuse_fd(skel->maps.flows, flows);
	if (!err)
		err = reply_bpf__load(skel);
	if (!err)
		err = make_flows(flows);
	if (!err) {
		const int made = bpf_program__fd(skel->progs.skl_reply);

		err = load_copy(&made, &program, 1);
	}
	reply_bpf__destroy(skel);
	libbpf_set_print(before);
	return err ? err : program;
}
