/* SPDX-License-Identifier: BSD-2-Clause */
/* One route as the kernel tells it, and how the kernel is asked for it. */
#ifndef SKL_ROUTE_H
#define SKL_ROUTE_H

#include <stddef.h>
#include <stdint.h>

#include "helper/datapath/rtnl.h"
#include "helper/rules/prefix.h"

#define ROUTE_LOOPBACK 1 /* the index of "lo", in every network namespace */

struct route {
	struct prefix to;
	uint8_t type, protocol;
	uint32_t table, device;
	struct prefix gateways[8]; /* the first ones */
	size_t n_gateways;
};

/* Bytes of an address of this family. */
size_t route_bytes(int family);

void route_read(const struct nlmsghdr *message, struct route *out);

/* Begins a request (RTM_...) in `buffer`, with a struct rtmsg for the family. */
struct nlmsghdr *route_request(char *buffer, uint16_t type, uint16_t flags, int family);

/* Hands the routes of a table to `callback`: perhaps others, too. 0, -EINTR when they changed meanwhile, or
 * -errno. */
int route_list(int family, uint32_t table, mnl_cb_t callback, void *data);

#endif
