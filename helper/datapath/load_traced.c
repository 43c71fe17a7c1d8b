// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/load.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>

#include "bpf/maps.h"
#include "bpf/traced.skel.h"
#include "helper/datapath/load_parts.h"

static int copy_all(const struct traced_bpf *skel, int made[TRACED_OBJECTS])
{
	const int fds[TRACED_OBJECTS] = {
		[TRACED_PROGRAM] = bpf_program__fd(skel->progs.skl_dispatch),
		[TRACED_DECISIONS] = bpf_map__fd(skel->maps.decisions),
		[TRACED_WATCH] = bpf_map__fd(skel->maps.watch),
	};

	return load_copy(fds, made, TRACED_OBJECTS);
}

int load_traced(const int maps[LOAD_MAPS], int made[TRACED_OBJECTS])
{
	libbpf_print_fn_t before = load_quietly();
	struct traced_bpf *skel = traced_bpf__open();
	int err = skel ? 0 : -errno;

	if (!err) {
		skel->rodata->has_ingress_ifindex = load_tells_ifindex();
		bpf_program__set_autoload(skel->progs.skl_probe, false);
		err = load_reuse(skel->obj, maps);
	}
	if (!err)
		err = traced_bpf__load(skel);
	if (!err)
		err = copy_all(skel, made);
	traced_bpf__destroy(skel);
	libbpf_set_print(before);
	return err;
}
