// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "helper/datapath/route.h"

#define LOOPBACK 1  /* the index of "lo", in every network namespace */
#define STEPS	 16 /* so many smaller routes inside a prefix are looked at */
#define TRIES	 4

/* ---- what the kernel does with an address ---- */

static int on_match(const struct nlmsghdr *message, void *data)
{
	route_read(message, data);
	return MNL_CB_STOP;
}

/* The route that decides about this address. False where there is none. */
static bool match(struct mnl_socket *route, const struct prefix *host, struct route *out)
{
	char buffer[256];
	struct nlmsghdr *request = route_request(buffer, RTM_GETROUTE, 0, host->family);
	struct rtmsg *m = mnl_nlmsg_get_payload(request);

	m->rtm_dst_len = host->length;
	m->rtm_flags = RTM_F_FIB_MATCH;
	mnl_attr_put(request, RTA_DST, route_bytes(host->family), host->address);
	*out = (struct route){0};
	return rtnl_ask(route, request, on_match, out) == 0 && prefix_covers(&out->to, host);
}

/* Moves `host` to the address after those of `p`. False where it was the last. */
static bool step_over(struct prefix *host, const struct prefix *p)
{
	*host = prefix_host(p->family, p->address);
	for (unsigned int bit = p->length; bit-- > 0;) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		host->address[bit / 8] ^= mask;
		if (host->address[bit / 8] & mask)
			return true;
	}
	return false;
}

/*
 * From one address to the next that another route decides about. A hole in what
 * is local, such as a broadcast address, does not count where a wider route is
 * around it.
 */
static enum routes_state walk(struct mnl_socket *route, const struct prefix *p)
{
	struct prefix host = prefix_host(p->family, p->address);
	bool ours = false, hole = false;
	struct route r;

	for (int step = 0; step < STEPS; step++) {
		if (!match(route, &host, &r))
			return ROUTES_NONE;
		if (r.to.length <= p->length) {
			if (r.type != RTN_LOCAL)
				return ROUTES_NONE;
			return r.protocol == ROUTES_PROTOCOL ? ROUTES_LOCAL_OURS : ROUTES_LOCAL;
		}
		hole |= r.type != RTN_LOCAL;
		ours |= r.type == RTN_LOCAL && r.protocol == ROUTES_PROTOCOL;
		if (step_over(&host, &r.to) && prefix_covers(p, &host))
			continue;
		return hole ? ROUTES_NONE : ours ? ROUTES_LOCAL_OURS : ROUTES_LOCAL;
	}
	return ROUTES_NONE;
}

/* ---- tables ---- */

/* A table that changes while it is listed is listed again: for callbacks that may see a route twice. */
static int list(int family, uint32_t table, mnl_cb_t callback, void *data)
{
	int err = -EINTR;

	for (int i = 0; i < TRIES && err == -EINTR; i++)
		err = route_list(family, table, callback, data);
	return err;
}

struct look {
	struct mnl_socket *route;
	const struct prefix *prefix;
	struct routes_view *view;
};

static int on_local(const struct nlmsghdr *message, void *data)
{
	struct look *look = data;
	struct route r;

	route_read(message, &r);
	if (r.table == RT_TABLE_LOCAL && r.type == RTN_LOCAL && prefix_overlaps(look->prefix, &r.to))
		look->view->state = ROUTES_PARTLY;
	return MNL_CB_OK;
}

/* IPv6 has a route of this kind for an address that an interface was given with all its bits. */
static bool is_own_address(const struct look *look, const struct route *r)
{
	struct route decides;

	return r->to.length == route_bytes(r->to.family) * 8 && match(look->route, &r->to, &decides) &&
	       decides.type == RTN_LOCAL;
}

static int on_main(const struct nlmsghdr *message, void *data)
{
	struct look *look = data;
	const struct prefix *p = look->prefix;
	struct route r;

	route_read(message, &r);
	if (r.table != RT_TABLE_MAIN || r.type != RTN_UNICAST || r.device == LOOPBACK)
		return MNL_CB_OK;
	if (r.to.length && prefix_covers(p, &r.to) && !is_own_address(look, &r))
		look->view->cut_off = r.to;
	for (size_t i = 0; i < r.n_gateways; i++) {
		if (!look->view->cut_off.family && prefix_covers(p, &r.gateways[i]))
			look->view->cut_off = r.gateways[i];
	}
	return MNL_CB_OK;
}

int routes_look(const struct prefix *p, struct routes_view *out)
{
	struct look look = {.route = rtnl_open(), .prefix = p, .view = out};
	int err;

	if (!look.route)
		return -errno;
	*out = (struct routes_view){.state = walk(look.route, p)};
	err = 0;
	if (out->state == ROUTES_NONE) {
		err = list(p->family, RT_TABLE_LOCAL, on_local, &look);
		if (!err)
			err = list(p->family, RT_TABLE_MAIN, on_main, &look);
	}
	mnl_socket_close(look.route);
	return err;
}

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
	struct listing l;
	int err = -EINTR;

	for (int i = 0; i < TRIES && err == -EINTR; i++) {
		l = (struct listing){.out = out, .room = room, .skip = skip};
		err = route_list(AF_INET, RT_TABLE_LOCAL, on_ours, &l);
		if (!err)
			err = route_list(AF_INET6, RT_TABLE_LOCAL, on_ours, &l);
	}
	return err ? err : (int)l.n;
}

/* ---- ours ---- */

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
	mnl_attr_put_u32(request, RTA_OIF, LOOPBACK);
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
