// SPDX-License-Identifier: BSD-2-Clause
/* What becomes of packets to a prefix, and of those to others if it were local. */
#include "helper/datapath/routes.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "helper/datapath/route.h"

#define STEPS	    16	/* so many smaller routes inside a prefix are looked at */
#define TRIES	    4	/* to list a table that changes meanwhile */
#define WATCHED_MAX 512 /* routes of ours in one network namespace */

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
static bool is_own_address(struct mnl_socket *route, const struct route *r)
{
	struct route decides;

	return r->to.length == route_bytes(r->to.family) * 8 && match(route, &r->to, &decides) &&
	       decides.type == RTN_LOCAL && decides.protocol != ROUTES_PROTOCOL;
}

/* What this route leads to and could not any more if the prefix were local; or NULL. */
static const struct prefix *cut_off(struct mnl_socket *route, const struct prefix *p, const struct route *r)
{
	if (r->table != RT_TABLE_MAIN || r->type != RTN_UNICAST || r->device == ROUTE_LOOPBACK)
		return NULL;
	if (r->to.length && prefix_covers(p, &r->to) && !is_own_address(route, r))
		return &r->to;
	for (size_t i = 0; i < r->n_gateways; i++) {
		if (prefix_covers(p, &r->gateways[i]))
			return &r->gateways[i];
	}
	return NULL;
}

static int on_main(const struct nlmsghdr *message, void *data)
{
	struct look *look = data;
	const struct prefix *cut;
	struct route r;

	route_read(message, &r);
	cut = cut_off(look->route, look->prefix, &r);
	/* a network rather than a gateway in it */
	if (cut && (!look->view->cut_off.family || cut->length < look->view->cut_off.length))
		look->view->cut_off = *cut;
	return MNL_CB_OK;
}

int routes_look(const struct prefix *p, struct routes_view *out)
{
	struct look look = {.route = rtnl_open(), .prefix = p, .view = out};
	int err = 0;

	if (!look.route)
		return -errno;
	*out = (struct routes_view){.state = walk(look.route, p)};
	if (out->state == ROUTES_NONE)
		err = list(p->family, RT_TABLE_LOCAL, on_local, &look);
	if (!err && out->state != ROUTES_LOCAL)
		err = list(p->family, RT_TABLE_MAIN, on_main, &look);
	mnl_socket_close(look.route);
	return err;
}

struct crowd {
	struct mnl_socket *route;
	struct prefix *ours;
	int n, n_crowded; /* the crowded ones first */
};

static int on_newcomer(const struct nlmsghdr *message, void *data)
{
	struct crowd *c = data;
	struct route r;

	route_read(message, &r);
	for (int i = c->n_crowded; i < c->n; i++) {
		struct prefix p = c->ours[i];

		if (!cut_off(c->route, &p, &r))
			continue;
		c->ours[i] = c->ours[c->n_crowded];
		c->ours[c->n_crowded++] = p;
	}
	return MNL_CB_OK;
}

int routes_crowded(struct prefix *out, size_t room)
{
	struct prefix ours[WATCHED_MAX];
	struct crowd c = {.ours = ours, .n = routes_list(ours, WATCHED_MAX, 0)};
	int err;

	if (c.n <= 0)
		return c.n;
	c.route = rtnl_open();
	if (!c.route)
		return -errno;
	err = list(AF_INET, RT_TABLE_MAIN, on_newcomer, &c);
	if (!err)
		err = list(AF_INET6, RT_TABLE_MAIN, on_newcomer, &c);
	mnl_socket_close(c.route);
	if (err)
		return err;
	if ((size_t)c.n_crowded < room)
		room = (size_t)c.n_crowded;
	memcpy(out, ours, room * sizeof(*out));
	return (int)room;
}
