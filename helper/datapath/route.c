// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/route.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

size_t route_bytes(int family)
{
	return family == AF_INET ? 4 : 16;
}

static int read_attribute(const struct nlattr *attr, void *data);

static void read_hops(const struct nlattr *attr, struct route *r)
{
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int left = mnl_attr_get_payload_len(attr);

	while (RTNH_OK(hop, left)) {
		mnl_attr_parse_payload(RTNH_DATA(hop), hop->rtnh_len - RTNH_LENGTH(0), read_attribute, r);
		left -= RTNH_ALIGN(hop->rtnh_len);
		hop = RTNH_NEXT(hop);
	}
}

static int read_attribute(const struct nlattr *attr, void *data)
{
	struct route *r = data;
	const void *payload = mnl_attr_get_payload(attr);
	size_t length = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case RTA_DST:
		if (length == route_bytes(r->to.family))
			memcpy(r->to.address, payload, length);
		break;
	case RTA_GATEWAY:
		if (length == route_bytes(r->to.family) &&
		    r->n_gateways < sizeof(r->gateways) / sizeof(*r->gateways))
			r->gateways[r->n_gateways++] = prefix_host(r->to.family, payload);
		break;
	case RTA_MULTIPATH:
		read_hops(attr, r);
		break;
	case RTA_OIF:
		if (length == sizeof(r->device))
			r->device = mnl_attr_get_u32(attr);
		break;
	case RTA_TABLE:
		if (length == sizeof(r->table))
			r->table = mnl_attr_get_u32(attr);
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

void route_read(const struct nlmsghdr *message, struct route *r)
{
	const struct rtmsg *m = mnl_nlmsg_get_payload(message);

	*r = (struct route){
		.to = {.family = m->rtm_family, .length = m->rtm_dst_len},
		.type = m->rtm_type,
		.protocol = m->rtm_protocol,
		.table = m->rtm_table,
	};
	mnl_attr_parse(message, sizeof(*m), read_attribute, r);
}

struct nlmsghdr *route_request(char *buffer, uint16_t type, uint16_t flags, int family)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct rtmsg *m = mnl_nlmsg_put_extra_header(request, sizeof(*m));

	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | flags;
	m->rtm_family = (uint8_t)family;
	return request;
}

int route_list(int family, uint32_t table, mnl_cb_t callback, void *data)
{
	struct mnl_socket *route = rtnl_open();
	char buffer[256];
	struct nlmsghdr *request = route_request(buffer, RTM_GETROUTE, NLM_F_DUMP, family);
	int one = 1, err;

	if (!route)
		return -errno;
	/* the kernel leaves out the other tables, or does not: before 4.20 it cannot */
	mnl_socket_setsockopt(route, NETLINK_GET_STRICT_CHK, &one, sizeof(one));
	mnl_attr_put_u32(request, RTA_TABLE, table);
	err = rtnl_ask(route, request, callback, data);
	mnl_socket_close(route);
	return err == -ENOENT ? 0 : err; /* there is no such table yet */
}
