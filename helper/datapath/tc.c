// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/tc.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/rtnl.h"
#include "helper/log.h"

/*
 * Where among the filters of an interface ours is: as early as possible, because
 * one before it may end the list. At the same priority the kernel runs the
 * newest first. A priority that a filter of another kind has is no place for us.
 */
#define PRIORITIES 8	       /* from 1 */
#define HANDLE	   0x534b4c    /* of our own, so that others may stand at the same priority */
#define NAME	   "skl_reply" /* of the program: what stands at that place under another name is not ours */

/* From time to time even what was attached is looked after: somebody may have removed it. */
#define LOOK_AGAIN 20

struct attached {
	uint64_t netns;
	int ifindex;
	int program;	/* its id */
	bool qdisc_too; /* the clsact qdisc was made for it */
};

static struct attached *attached;
static size_t n_attached;
static unsigned int calls;

static struct attached *find(uint64_t netns, int ifindex)
{
	for (size_t i = 0; i < n_attached; i++) {
		if (attached[i].netns == netns && attached[i].ifindex == ifindex)
			return &attached[i];
	}
	return NULL;
}

static int remember(uint64_t netns, int ifindex, int program, bool qdisc_too)
{
	struct attached *a = find(netns, ifindex);

	if (!a) {
		struct attached *larger = reallocarray(attached, n_attached + 1, sizeof(*attached));

		if (!larger)
			return -ENOMEM;
		attached = larger;
		a = &attached[n_attached++];
		*a = (struct attached){.netns = netns, .ifindex = ifindex};
	}
	a->program = program;
	a->qdisc_too |= qdisc_too;
	return 0;
}

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

/* Where ours stands; id is 0 where it stands nowhere. */
struct place {
	uint32_t priority;
	int id;
};

static struct place find_place(const struct bpf_tc_hook *hook)
{
	struct place place = {0};

	for (uint32_t priority = 1; priority <= PRIORITIES; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = priority);

		/* ENOENT: no such filter; EINVAL: one of another kind, or no clsact at all */
		if (bpf_tc_query(hook, &opts) == 0 && is_ours((int)opts.prog_id)) {
			place = (struct place){priority, (int)opts.prog_id};
			break;
		}
	}
	return place;
}

static int attach_at_first_place(const struct bpf_tc_hook *hook, int program)
{
	int err = -EEXIST;

	for (uint32_t priority = 1; priority <= PRIORITIES; priority++) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = HANDLE, .priority = priority);

		err = bpf_tc_attach(hook, &opts);
		if (err != -EEXIST && err != -EINVAL)
			break;
	}
	return err;
}

struct seen_qdisc {
	int ifindex;
	bool other; /* an "ingress" qdisc, which stands where clsact would and has no egress side */
};

static int on_qdisc_kind(const struct nlattr *attr, void *data)
{
	struct seen_qdisc *seen = data;

	if (mnl_attr_get_type(attr) == TCA_KIND && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		seen->other = strcmp(mnl_attr_get_str(attr), "clsact") != 0;
	return MNL_CB_OK;
}

static int on_qdisc(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *qdisc = mnl_nlmsg_get_payload(message);
	struct seen_qdisc *seen = data;

	if (qdisc->tcm_ifindex == seen->ifindex && qdisc->tcm_parent == TC_H_CLSACT)
		mnl_attr_parse(message, sizeof(*qdisc), on_qdisc_kind, seen);
	return MNL_CB_OK;
}

static struct nlmsghdr *dump_request(char *buffer, uint16_t type, int ifindex, uint32_t parent)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct tcmsg *request;

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->tcm_family = AF_UNSPEC;
	request->tcm_ifindex = ifindex;
	request->tcm_parent = parent;
	return header;
}

/* A filter for its egress side would end up at ingress. */
static bool has_other_qdisc(int ifindex)
{
	struct mnl_socket *route = rtnl_open();
	struct seen_qdisc seen = {.ifindex = ifindex};
	char buffer[256];

	if (!route)
		return false;
	rtnl_ask(route, dump_request(buffer, RTM_GETQDISC, ifindex, 0), on_qdisc, &seen);
	mnl_socket_close(route);
	return seen.other;
}

static int attach(uint64_t netns, const struct if_nameindex *interface, int program, int id)
{
	int ifindex = (int)interface->if_index, err;
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	struct place there;
	bool made;

	if (has_other_qdisc(ifindex)) {
		if (!find(netns, ifindex))
			log_warn("%s has an ingress qdisc: UDP answers that leave by it have the address "
				 "that the socket is bound to (clsact would do)",
				 interface->if_name);
		return remember(netns, ifindex, id, false);
	}
	there = find_place(&hook);
	if (there.id == id) /* unknown here: an earlier helper put it there, and made room for it */
		return remember(netns, ifindex, id, !find(netns, ifindex));
	err = bpf_tc_hook_create(&hook);
	if (err && err != -EEXIST)
		return err;
	made = !err;
	if (there.id) { /* an earlier helper's */
		LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = program, .handle = HANDLE,
			    .priority = there.priority, .flags = BPF_TC_F_REPLACE);

		err = bpf_tc_attach(&hook, &opts);
	} else {
		err = attach_at_first_place(&hook, program);
	}
	return err ? err : remember(netns, ifindex, id, made);
}

int tc_attach_all(uint64_t netns_ino, int program)
{
	struct if_nameindex *all = if_nameindex();
	int id = program_id(program), err = 0;
	bool thorough = calls++ % LOOK_AGAIN == 0;

	if (!all)
		return -errno;
	if (id < 0)
		err = id;
	for (size_t i = 0; id >= 0 && all[i].if_index; i++) {
		const struct attached *a = find(netns_ino, (int)all[i].if_index);
		int one = 0;

		if (thorough || !a || a->program != id)
			one = attach(netns_ino, &all[i], program, id);
		if (one && one != -ENODEV)
			err = one;
	}
	if_freenameindex(all);
	return err;
}

static int on_filter(const struct nlmsghdr *message, void *data)
{
	*(bool *)data = true;
	return MNL_CB_OK;
}

/* Is anybody's filter on this side of the interface's clsact qdisc? When that cannot be told, yes. */
static bool has_filters(struct mnl_socket *route, int ifindex, uint32_t side)
{
	char buffer[256];
	bool any = false;
	int err = rtnl_ask(route, dump_request(buffer, RTM_GETTFILTER, ifindex, TC_H_MAKE(TC_H_CLSACT, side)),
			   on_filter, &any);

	return err || any;
}

static void remove_qdisc_if_empty(struct mnl_socket *route, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	if (!has_filters(route, ifindex, TC_H_MIN_INGRESS) && !has_filters(route, ifindex, TC_H_MIN_EGRESS))
		bpf_tc_hook_destroy(&hook);
}

static void detach(struct mnl_socket *route, uint64_t netns, int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	struct attached *a = find(netns, ifindex);
	struct place there = {0};

	if (!has_other_qdisc(ifindex))
		there = find_place(&hook);
	if (there.id) {
		LIBBPF_OPTS(bpf_tc_opts, opts, .handle = HANDLE, .priority = there.priority);

		bpf_tc_detach(&hook, &opts);
	}
	if (a && a->qdisc_too)
		remove_qdisc_if_empty(route, ifindex);
}

static void forget(uint64_t netns)
{
	size_t kept = 0;

	for (size_t i = 0; i < n_attached; i++) {
		if (attached[i].netns != netns)
			attached[kept++] = attached[i];
	}
	n_attached = kept;
}

int tc_detach_all(uint64_t netns_ino)
{
	struct if_nameindex *all = if_nameindex();
	struct mnl_socket *route = rtnl_open();
	int err = all && route ? 0 : -ENOBUFS;

	for (size_t i = 0; !err && all[i].if_index; i++)
		detach(route, netns_ino, (int)all[i].if_index);
	forget(netns_ino);
	if (all)
		if_freenameindex(all);
	if (route)
		mnl_socket_close(route);
	return err;
}
