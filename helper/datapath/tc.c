// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/tc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/budget.h"
#include "helper/datapath/attached.h"
#include "helper/datapath/qdisc.h"
#include "helper/fault.h"
#include "helper/log.h"

/*
 * Where among the filters of an interface ours is: as early as possible, because
 * one before it may end the list. At the same priority the kernel runs the
 * newest first. A priority that a filter of another kind has is no place for us.
 */
#define PRIORITIES 8	       /* from 1 */
#define NAME	   "skl_reply" /* of the program: what stands at that place under another name is not ours */

/*
 * Handles of our own, so that others may stand at the same priority. The second
 * tells the next helper that the clsact qdisc was made for the filter.
 */
#define HANDLE		 0x534b4c
#define HANDLE_AND_QDISC 0x534b4d

/* From time to time even what was attached is looked after: somebody may have removed it. */
#define LOOK_AGAIN 20

static unsigned int calls;

static int program_id(int program)
{
	struct bpf_prog_info info = {0};
	uint32_t length = sizeof(info);

	return bpf_obj_get_info_by_fd(program, &info, &length) < 0 ? -errno : (int)info.id;
}

static bool is_ours(int id)
{
	struct bpf_prog_info info = {0};
	uint32_t length = sizeof(info);
	int fd = bpf_prog_get_fd_by_id((uint32_t)id);
	bool yes;

	if (fd < 0)
		return false;
	yes = bpf_obj_get_info_by_fd(fd, &info, &length) == 0 && strcmp(info.name, NAME) == 0;
	close(fd);
	return yes;
}

/* Where ours stands; the program's id is 0 where it stands nowhere, or -errno where that cannot be told. */
struct found {
	struct place place;
	int id;
};

static struct found find_filter(int ifindex)
{
	static const uint32_t handles[] = {HANDLE, HANDLE_AND_QDISC};
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);

	for (uint32_t i = 0; i < 2 * PRIORITIES; i++) {
		const struct place place = {.priority = 1 + i / 2, .handle = handles[i % 2]};
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = place.handle, .priority = place.priority);

		int err = bpf_tc_query(&hook, &opts);

		if (!err && is_ours((int)opts.prog_id))
			return (struct found){place, (int)opts.prog_id};
		if (err && err != -ENOENT &&
		    err != -EINVAL) /* no such filter; one of another kind, or no clsact */
			return (struct found){.id = err};
	}
	return (struct found){0};
}

static int add_filter(int ifindex, int program, uint32_t handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	int err = -EEXIST;

	for (uint32_t priority = 1; priority <= PRIORITIES; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = handle, .priority = priority);

		err = bpf_tc_attach(&hook, &opts);
		if (err != -EEXIST && err != -EINVAL)
			break;
	}
	return err;
}

static int replace_filter(int ifindex, int program, struct place place)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = place.handle, .priority = place.priority,
		    .flags = BPF_TC_F_REPLACE);

	return bpf_tc_attach(&hook, &opts);
}

/* Into a clsact qdisc that is there. */
static int attach_inside(uint64_t netns, int ifindex, int program, int id)
{
	const struct attached *before = attached_find(netns, ifindex);
	struct found there = find_filter(ifindex);
	bool made = there.id ? there.place.handle == HANDLE_AND_QDISC : before && before->qdisc_too;
	int err = 0;

	if (there.id < 0)
		err = there.id;
	else if (!there.id)
		err = add_filter(ifindex, program, made ? HANDLE_AND_QDISC : HANDLE);
	else if (there.id != id) /* an earlier helper's */
		err = replace_filter(ifindex, program, there.place);
	return err ? err : attached_remember(netns, ifindex, id, made);
}

static int attach(uint64_t netns, const struct if_nameindex *interface, const struct qdiscs *qdiscs,
		  int program, int id)
{
	const struct place first = {.priority = 1, .handle = HANDLE_AND_QDISC};
	int ifindex = (int)interface->if_index, err;
	enum qdisc there = qdisc_of(qdiscs, ifindex);

	if (there == QDISC_INGRESS) {
		if (!attached_find(netns, ifindex))
			log_warn("%s has an ingress qdisc: UDP answers that leave by it have the address "
				 "that the socket is bound to (clsact would do)",
				 interface->if_name);
		return attached_remember(netns, ifindex, id, false);
	}
	fault_point("an interface is to get the reply program");
	if (there == QDISC_CLSACT) {
		err = attach_inside(netns, ifindex, program, id);
	} else {
		err = qdisc_make(ifindex, first, program, NAME);
		if (!err)
			err = attached_remember(netns, ifindex, id, true);
	}
	fault_point("an interface has the reply program");
	return err;
}

struct work {
	uint64_t netns;
	int program, id;
	bool thorough;
	bool has_qdiscs; /* they are read when the first interface needs them */
	struct qdiscs qdiscs;
};

static int attach_one(struct work *w, const struct if_nameindex *interface)
{
	struct attached *a = attached_find(w->netns, (int)interface->if_index);
	int err = 0;

	if (a)
		a->seen = true;
	if (!w->thorough && a && a->program == w->id)
		return 0;
	if (budget_is_spent())
		return -ETIME;
	if (!w->has_qdiscs)
		err = qdiscs_read(&w->qdiscs);
	w->has_qdiscs = !err;
	if (!err)
		err = attach(w->netns, interface, &w->qdiscs, w->program, w->id);
	return err == -ENODEV ? 0 : err;
}

int tc_attach_all(uint64_t netns_ino, int program)
{
	struct if_nameindex *all = if_nameindex();
	struct work w = {.netns = netns_ino,
			 .program = program,
			 .id = program_id(program),
			 .thorough = calls++ % LOOK_AGAIN == 0};
	/* it would speak of every interface without a clsact qdisc as an error */
	libbpf_print_fn_t before;
	int err = 0;

	if (!all)
		return -errno;
	before = libbpf_set_print(NULL);
	if (w.id < 0)
		err = w.id;
	else if (budget_is_spent())
		err = -ETIME; /* there are so many */
	attached_begin_look();
	for (size_t i = 0; w.id >= 0 && err != -ETIME && all[i].if_index; i++) {
		int one = attach_one(&w, &all[i]);

		if (one)
			err = one;
	}
	if (w.id >= 0 && err != -ETIME)
		attached_forget(netns_ino, false);
	qdiscs_free(&w.qdiscs);
	libbpf_set_print(before);
	if_freenameindex(all);
	return err;
}

static void detach(int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	struct found there = find_filter(ifindex);

	if (there.id <= 0)
		return;
	if (there.place.handle != HANDLE_AND_QDISC || !qdisc_remove(ifindex, there.place)) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = there.place.handle,
			    .priority = there.place.priority);

		bpf_tc_detach(&hook, &opts);
	}
	fault_point("an interface has lost the reply program");
}

int tc_detach_all(uint64_t netns_ino)
{
	struct qdiscs all;
	int err = qdiscs_read(&all);
	libbpf_print_fn_t before = libbpf_set_print(NULL);

	for (size_t i = 0; i < all.n && !err; i++) {
		if (budget_is_spent())
			err = -ETIME;
		else if (all.at[i].kind == QDISC_CLSACT)
			detach(all.at[i].ifindex);
	}
	libbpf_set_print(before);
	qdiscs_free(&all);
	attached_forget(netns_ino, true);
	return err;
}
