// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/rtnl.h"

#include <errno.h>

#include "helper/budget.h"

struct mnl_socket *rtnl_open(void)
{
	struct mnl_socket *route = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (route && mnl_socket_bind(route, 0, MNL_SOCKET_AUTOPID) < 0) {
		mnl_socket_close(route);
		return NULL;
	}
	return route;
}

int rtnl_ask(struct mnl_socket *route, struct nlmsghdr *request, mnl_cb_t callback, void *data)
{
	char buffer[16384];
	int run = MNL_CB_OK;
	ssize_t got;

	if (mnl_socket_sendto(route, request, request->nlmsg_len) < 0)
		return -errno;
	while (run > MNL_CB_STOP) {
		got = mnl_socket_recvfrom(route, buffer, sizeof(buffer));
		run = got < 0 ? MNL_CB_ERROR : mnl_cb_run(buffer, (size_t)got, 0, 0, callback, data);
		if (run > MNL_CB_STOP && budget_is_spent())
			return -ETIME;
	}
	return run == MNL_CB_ERROR ? -errno : 0;
}
