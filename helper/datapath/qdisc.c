// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/qdisc.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "helper/datapath/rtnl.h"

static struct nlmsghdr *put_request(void *at, uint16_t type, uint16_t flags, const struct tcmsg *what)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(at);

	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(mnl_nlmsg_put_extra_header(header, sizeof(*what)), what, sizeof(*what));
	return header;
}

static int dump(uint16_t type, const struct tcmsg *what, mnl_cb_t callback, void *data)
{
	struct mnl_socket *route = rtnl_open();
	char buffer[256];
	int err;

	if (!route)
		return -errno;
	err = rtnl_ask(route, put_request(buffer, type, NLM_F_DUMP, what), callback, data);
	mnl_socket_close(route);
	return err;
}

static int on_qdisc_kind(const struct nlattr *attr, void *data)
{
	struct qdisc_seen *seen = data;

	if (mnl_attr_get_type(attr) == TCA_KIND && mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
		seen->kind = strcmp(mnl_attr_get_str(attr), "clsact") == 0 ? QDISC_CLSACT : QDISC_INGRESS;
	return MNL_CB_OK;
}

static int on_qdisc(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *qdisc = mnl_nlmsg_get_payload(message);
	struct qdiscs *all = data;

	if (qdisc->tcm_parent != TC_H_CLSACT)
		return MNL_CB_OK;
	if (all->n == all->room) {
		size_t room = all->room ? 2 * all->room : 16;
		struct qdisc_seen *larger = reallocarray(all->at, room, sizeof(*larger));

		if (!larger)
			return MNL_CB_ERROR;
		all->at = larger;
		all->room = room;
	}
	all->at[all->n] = (struct qdisc_seen){.ifindex = qdisc->tcm_ifindex};
	mnl_attr_parse(message, sizeof(*qdisc), on_qdisc_kind, &all->at[all->n++]);
	return MNL_CB_OK;
}

static int compare(const void *a, const void *b)
{
	const struct qdisc_seen *x = a, *y = b;

	return (x->ifindex > y->ifindex) - (x->ifindex < y->ifindex);
}

int qdiscs_read(struct qdiscs *out)
{
	const struct tcmsg what = {0};
	int err;

	*out = (struct qdiscs){0};
	err = dump(RTM_GETQDISC, &what, on_qdisc, out);
	if (err)
		qdiscs_free(out);
	else if (out->n)
		qsort(out->at, out->n, sizeof(*out->at), compare);
	return err;
}

enum qdisc qdisc_of(const struct qdiscs *all, int ifindex)
{
	const struct qdisc_seen wanted = {.ifindex = ifindex}, *seen = NULL;

	if (all->n)
		seen = bsearch(&wanted, all->at, all->n, sizeof(wanted), compare);
	return seen ? seen->kind : QDISC_NONE;
}

void qdiscs_free(struct qdiscs *all)
{
	free(all->at);
	*all = (struct qdiscs){0};
}

/* The kernel works off all messages of one write before the process that wrote it can be killed. */
static size_t put_both(char *buffer, int ifindex, struct place place, int program, const char *name)
{
	const struct tcmsg qdisc = {
		.tcm_ifindex = ifindex,
		.tcm_parent = TC_H_CLSACT,
		.tcm_handle = TC_H_MAKE(TC_H_CLSACT, 0),
	};
	const struct tcmsg filter = {
		.tcm_ifindex = ifindex,
		.tcm_parent = TC_H_MAKE(TC_H_CLSACT, TC_H_MIN_EGRESS),
		.tcm_handle = place.handle,
		.tcm_info = TC_H_MAKE(place.priority << 16, htons(ETH_P_ALL)),
	};
	const uint16_t flags = NLM_F_CREATE | NLM_F_EXCL | NLM_F_ACK;
	struct nlmsghdr *first = put_request(buffer, RTM_NEWQDISC, flags, &qdisc), *second;
	struct nlattr *options;

	first->nlmsg_seq = 1;
	mnl_attr_put_strz(first, TCA_KIND, "clsact");
	second = put_request(buffer + MNL_ALIGN(first->nlmsg_len), RTM_NEWTFILTER, flags, &filter);
	second->nlmsg_seq = 2;
	mnl_attr_put_strz(second, TCA_KIND, "bpf");
	options = mnl_attr_nest_start(second, TCA_OPTIONS);
	mnl_attr_put_u32(second, TCA_BPF_FD, (uint32_t)program);
	mnl_attr_put_strz(second, TCA_BPF_NAME, name);
	mnl_attr_put_u32(second, TCA_BPF_FLAGS, TCA_BPF_FLAG_ACT_DIRECT);
	mnl_attr_nest_end(second, options);
	return MNL_ALIGN(first->nlmsg_len) + second->nlmsg_len;
}

/* Reads the answers to requests 1 and 2. */
static int read_both(struct mnl_socket *route, int errors[2])
{
	char buffer[4096];

	for (int seen = 0; seen < 2;) {
		ssize_t got = mnl_socket_recvfrom(route, buffer, sizeof(buffer));
		struct nlmsghdr *message = (struct nlmsghdr *)buffer;
		int left = (int)got;

		if (got < 0)
			return -errno;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
			const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

			if (message->nlmsg_type != NLMSG_ERROR || message->nlmsg_seq < 1 ||
			    message->nlmsg_seq > 2)
				continue;
			errors[message->nlmsg_seq - 1] = error->error;
			seen++;
		}
	}
	return 0;
}

static void destroy(int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	bpf_tc_hook_destroy(&hook);
}

static void remove_filter(int ifindex, struct place place)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = place.handle, .priority = place.priority);

	bpf_tc_detach(&hook, &opts);
}

int qdisc_make(int ifindex, struct place place, int program, const char *name)
{
	struct mnl_socket *route = rtnl_open();
	int errors[2] = {0}, err;
	char buffer[1024];
	size_t length;

	if (!route)
		return -errno;
	length = put_both(buffer, ifindex, place, program, name);
	err = mnl_socket_sendto(route, buffer, length) < 0 ? -errno : read_both(route, errors);
	mnl_socket_close(route);
	if (err)
		return err;
	if (errors[0] && !errors[1])
		remove_filter(ifindex, place); /* in somebody's qdisc that was not there a moment ago */
	if (!errors[0] && errors[1])
		destroy(ifindex);
	return errors[0] ? errors[0] : errors[1];
}

struct seen_filters {
	struct place ours;
	bool other;
};

static int on_filter(const struct nlmsghdr *message, void *data)
{
	const struct tcmsg *filter = mnl_nlmsg_get_payload(message);
	struct seen_filters *seen = data;

	/* without a handle: not a filter, but that there are some of this priority */
	if (filter->tcm_info >> 16 != seen->ours.priority ||
	    (filter->tcm_handle != 0 && filter->tcm_handle != seen->ours.handle))
		seen->other = true;
	return MNL_CB_OK;
}

/* Is there another filter than ours on this side? When that cannot be told, yes. */
static bool has_other(int ifindex, uint32_t side, struct place ours)
{
	const struct tcmsg what = {.tcm_ifindex = ifindex, .tcm_parent = TC_H_MAKE(TC_H_CLSACT, side)};
	struct seen_filters seen = {.ours = ours};

	return dump(RTM_GETTFILTER, &what, on_filter, &seen) < 0 || seen.other;
}

bool qdisc_remove(int ifindex, struct place place)
{
	const struct place nowhere = {0};

	if (has_other(ifindex, TC_H_MIN_INGRESS, nowhere) || has_other(ifindex, TC_H_MIN_EGRESS, place))
		return false;
	destroy(ifindex);
	return true;
}
