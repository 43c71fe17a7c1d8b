// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "bpf/maps.h"
#include "bpf/traced.skel.h"

static int reuse(const struct traced_bpf *skel, const int maps[LOAD_MAPS])
{
	struct bpf_map *const of[LOAD_MAPS] = {
		[LOAD_TABLES] = skel->maps.bss,
		[LOAD_SOCKETS] = skel->maps.sockets,
		[LOAD_TRIE] = skel->maps.trie,
		[LOAD_LOOKUPS] = skel->maps.lookups,
		[LOAD_EVENTS] = skel->maps.events,
		[LOAD_MEMBERS] = skel->maps.member_records,
		[LOAD_BINDINGS] = skel->maps.binding_records,
		[LOAD_FLOWS] = skel->maps.flows,
	};
	int err = 0;

	for (int i = 0; i < LOAD_MAPS && !err; i++)
		err = bpf_map__reuse_fd(of[i], maps[i]);
	return err;
}

static struct traced_bpf *try_load(const int maps[LOAD_MAPS], bool with_ifindex, int *err)
{
	struct traced_bpf *skel = traced_bpf__open();

	if (!skel) {
		*err = -errno;
		return NULL;
	}
	skel->rodata->has_ingress_ifindex = with_ifindex;
	bpf_program__set_autoload(skel->progs.skl_probe, false);
	*err = reuse(skel, maps);
	if (!*err)
		*err = traced_bpf__load(skel);
	if (!*err)
		return skel;
	traced_bpf__destroy(skel);
	return NULL;
}

static int copy_all(const struct traced_bpf *skel, int made[TRACED_OBJECTS])
{
	const int fds[TRACED_OBJECTS] = {
		[TRACED_PROGRAM] = bpf_program__fd(skel->progs.skl_dispatch),
		[TRACED_DECISIONS] = bpf_map__fd(skel->maps.decisions),
		[TRACED_WATCH] = bpf_map__fd(skel->maps.watch),
	};

	for (int i = 0; i < TRACED_OBJECTS; i++) {
		made[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
		if (made[i] < 0) {
			int err = -errno;

			while (i-- > 0)
				close(made[i]);
			return err;
		}
	}
	return 0;
}

int load_traced(const int maps[LOAD_MAPS], int made[TRACED_OBJECTS])
{
	int err = 0;
	struct traced_bpf *skel = try_load(maps, true, &err);

	if (!skel)
		skel = try_load(maps, false, &err);
	if (skel)
		err = copy_all(skel, made);
	traced_bpf__destroy(skel);
	return err;
}
