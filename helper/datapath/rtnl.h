/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to the kernel's rtnetlink, in the network namespace that this process is in. */
#ifndef SKL_RTNL_H
#define SKL_RTNL_H

#include <libmnl/libmnl.h>

/* A NETLINK_ROUTE socket, to be closed with mnl_socket_close(); NULL with errno. */
struct mnl_socket *rtnl_open(void);

/*
 * Sends a request and hands each message of the answer to `callback`, which may
 * be NULL, until the kernel says that this was all, or callback returns
 * MNL_CB_STOP. Returns 0 or -errno: the kernel's, or that of asking it, or
 * -ETIME where a list is too long (helper/budget.h).
 */
int rtnl_ask(struct mnl_socket *route, struct nlmsghdr *request, mnl_cb_t callback, void *data);

#endif
