// SPDX-License-Identifier: BSD-2-Clause
/* Routes of ours: made, deleted, listed. */
#include "helper/datapath/routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include "helper/datapath/route.h"

#define TRIES 4 /* to list a table that changes meanwhile */

struct listing {
	struct prefix *out;
	size_t n, room, skip;
};

static int on_ours(const struct nlmsghdr *message, void *data)
{
	struct listing *l = data;
	struct route r;

	route_read(message, &r);
	if (r.table != RT_TABLE_LOCAL || r.type != RTN_LOCAL || r.protocol != ROUTES_PROTOCOL)
		return MNL_CB_OK;
	if (l->skip)
		l->skip--;
	else if (l->n < l->room)
		l->out[l->n++] = r.to;
	return MNL_CB_OK;
}

int routes_list(struct prefix *out, size_t room, size_t skip)
{
	struct listing l = {0};
	int err = -EINTR;

	for (int i = 0; i < TRIES && err == -EINTR; i++) {
		l = (struct listing){.out = out, .room = room, .skip = skip};
		err = route_list(AF_INET, RT_TABLE_LOCAL, on_ours, &l);
		if (!err)
			err = route_list(AF_INET6, RT_TABLE_LOCAL, on_ours, &l);
	}
	return err ? err : (int)l.n;
}

static int change(const struct prefix *p, uint16_t type, uint16_t flags)
{
	struct mnl_socket *route = rtnl_open();
	char buffer[256];
	struct nlmsghdr *request = route_request(buffer, type, NLM_F_ACK | flags, p->family);
	struct rtmsg *m = mnl_nlmsg_get_payload(request);
	int err;

	if (!route)
		return -errno;
	m->rtm_dst_len = p->length;
	m->rtm_table = RT_TABLE_LOCAL;
	m->rtm_protocol = ROUTES_PROTOCOL;
	m->rtm_type = RTN_LOCAL;
	m->rtm_scope = RT_SCOPE_HOST;
	mnl_attr_put(request, RTA_DST, route_bytes(p->family), p->address);
	mnl_attr_put_u32(request, RTA_OIF, ROUTE_LOOPBACK);
	err = rtnl_ask(route, request, NULL, NULL);
	mnl_socket_close(route);
	return err;
}

int routes_add(const struct prefix *p)
{
	return change(p, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL);
}

int routes_delete(const struct prefix *p)
{
	return change(p, RTM_DELROUTE, 0);
}
