/* SPDX-License-Identifier: BSD-2-Clause */
/* Programs on the egress of interfaces (tc), and the maps that they use. */
#ifndef SKL_TESTS_BPF_FILTERS_H
#define SKL_TESTS_BPF_FILTERS_H

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>

#include "tests/bpf/covered.h"
#include "tests/bpf/world.h"

static inline void attach(const char *device, int program, uint32_t priority)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(device), .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = 1, .priority = priority);
	int err = bpf_tc_hook_create(&hook);

	if (err != -EEXIST)
		check(err, "clsact");
	check(bpf_tc_attach(&hook, &opts), "bpf_tc_attach");
}

static inline void detach(const char *device, uint32_t priority)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(device), .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = priority);

	check(bpf_tc_detach(&hook, &opts), "bpf_tc_detach");
}

/* The map of this name that the program uses: a descriptor, the caller's. */
static inline int map_of(int program, const char *name)
{
	uint32_t ids[8], length = sizeof(struct bpf_prog_info);
	struct bpf_prog_info info = {.nr_map_ids = 8, .map_ids = (uint64_t)(uintptr_t)ids};

	if (bpf_obj_get_info_by_fd(program, &info, &length))
		die("bpf_prog_info");
	for (uint32_t i = 0; i < info.nr_map_ids; i++) {
		struct bpf_map_info map = {0};
		int fd = bpf_map_get_fd_by_id(ids[i]);

		length = sizeof(map);
		if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &map, &length) == 0 && strcmp(map.name, name) == 0)
			return fd;
		close(fd);
	}
	errno = ENOENT;
	die(name);
	return -1;
}

#endif
