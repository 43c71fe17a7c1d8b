// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/load.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bpf/maps.h"
#include "bpf/dispatch.skel.h"
#include "bpf/reply.skel.h"
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

/* Copies, which stay when the skeleton goes. */
static int copy_all(const struct dispatch_bpf *skel, int fds[LOAD_OBJECTS])
{
	const int made[LOAD_OBJECTS] = {
		[LOAD_TABLES] = bpf_map__fd(skel->maps.bss),
		[LOAD_SOCKETS] = bpf_map__fd(skel->maps.sockets),
		[LOAD_TRIE] = bpf_map__fd(skel->maps.trie),
		[LOAD_LOOKUPS] = bpf_map__fd(skel->maps.lookups),
		[LOAD_EVENTS] = bpf_map__fd(skel->maps.events),
		[LOAD_MEMBERS] = bpf_map__fd(skel->maps.member_records),
		[LOAD_BINDINGS] = bpf_map__fd(skel->maps.binding_records),
		[LOAD_DISPATCH] = bpf_program__fd(skel->progs.skl_dispatch),
		[LOAD_PROBE] = bpf_program__fd(skel->progs.skl_probe),
		[LOAD_FLOWS] = bpf_map__fd(skel->maps.flows),
	};

	for (int i = 0; i < LOAD_OBJECTS; i++) {
		fds[i] = fcntl(made[i], F_DUPFD_CLOEXEC, 0);
		if (fds[i] < 0) {
			int err = -errno;

			while (i-- > 0)
				close(fds[i]);
			return err;
		}
	}
	return 0;
}

int load_dispatch(int fds[LOAD_OBJECTS])
{
	libbpf_print_fn_t before = libbpf_set_print(to_debug_log);
	int err = 0;
	struct dispatch_bpf *skel = try_load(true, &err);

	if (!skel)
		skel = try_load(false, &err);
	if (skel)
		err = copy_all(skel, fds);
	dispatch_bpf__destroy(skel);
	libbpf_set_print(before);
	return err;
}

static int reuse(const struct dispatch_bpf *skel, const int maps[LOAD_MAPS])
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

static int copy_programs(const struct dispatch_bpf *skel, int *dispatch, int *probe)
{
	int err;

	*dispatch = fcntl(bpf_program__fd(skel->progs.skl_dispatch), F_DUPFD_CLOEXEC, 0);
	if (*dispatch < 0)
		return -errno;
	*probe = fcntl(bpf_program__fd(skel->progs.skl_probe), F_DUPFD_CLOEXEC, 0);
	if (*probe >= 0)
		return 0;
	err = -errno;
	close(*dispatch);
	return err;
}

int load_over(const int maps[LOAD_MAPS], bool has_ingress_ifindex, int *dispatch, int *probe)
{
	libbpf_print_fn_t before = libbpf_set_print(to_debug_log);
	struct dispatch_bpf *skel = dispatch_bpf__open();
	int err = skel ? 0 : -errno;

	if (!err) {
		skel->rodata->has_ingress_ifindex = has_ingress_ifindex;
		err = reuse(skel, maps);
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
	libbpf_print_fn_t before = libbpf_set_print(to_debug_log);
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
		program = fcntl(bpf_program__fd(skel->progs.skl_reply), F_DUPFD_CLOEXEC, 0);
		err = program < 0 ? -errno : 0;
	}
	reply_bpf__destroy(skel);
	libbpf_set_print(before);
	return err ? err : program;
}
