// SPDX-License-Identifier: BSD-2-Clause
/* Who holds the ports of a namespace, and wide bindings that give way to them. */
#include <errno.h>
#include <netinet/in.h>
#include <unistd.h>

#include "helper/datapath/diag.h"
#include "helper/log.h"
#include "helper/space.h"
#include "helper/space_parts.h"

#define LOOK_MS 500 /* who asks for the status does not make the helper list all sockets more often */

static const int families[] = {AF_INET, AF_INET6};

static int refresh_ports(struct space *s, uint8_t protocol, uint16_t first, uint16_t last)
{
	int err = 0;

	for (size_t i = 0; i < 2; i++) {
		struct rule r = {.prefix = prefix_any(families[i]),
				 .first = first,
				 .last = last,
				 .protocol = protocol};
		int one = datapath_refresh(s->datapath, &s->table, &r);

		if (one)
			err = one;
	}
	return err;
}

bool space_has_wide(const struct space *s)
{
	return s->table.wide.n > 0;
}

/* Ports whose holders are others than before: few are written one by one, many as what lies between them. */
#define CHANGED_MAX 32

struct changed {
	size_t n; /* more than CHANGED_MAX: only the span counts */
	struct {
		uint8_t protocol;
		uint16_t port;
	} ports[CHANGED_MAX];
	uint16_t first[2], last[2]; /* by protocol: TCP, UDP; first > last: none */
};

static void on_port_changed(void *context, uint8_t protocol, uint16_t port)
{
	struct changed *c = context;
	size_t p = protocol == IPPROTO_UDP;

	if (c->n < CHANGED_MAX) {
		c->ports[c->n].protocol = protocol;
		c->ports[c->n].port = port;
	}
	c->n++;
	c->first[p] = port < c->first[p] ? port : c->first[p];
	c->last[p] = port > c->last[p] ? port : c->last[p];
}

static void refresh_changed(struct space *s, const struct changed *c)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	int err = 0;

	for (size_t i = 0; c->n <= CHANGED_MAX && i < c->n; i++)
		err |= refresh_ports(s, c->ports[i].protocol, c->ports[i].port, c->ports[i].port);
	for (size_t p = 0; c->n > CHANGED_MAX && p < 2; p++) {
		if (c->first[p] <= c->last[p])
			err |= refresh_ports(s, protocols[p], c->first[p], c->last[p]);
	}
	if (!err)
		return;
	s->unwritten = true;
	log_error("namespace %llu: not all ports that changed hands could be written",
		  (unsigned long long)s->netns_ino);
}

void space_refresh_all(struct space *s)
{
	int tcp = refresh_ports(s, IPPROTO_TCP, 0, 65535), udp = refresh_ports(s, IPPROTO_UDP, 0, 65535);

	s->unwritten = tcp < 0 || udp < 0;
	if (s->unwritten)
		log_error("namespace %llu: not all of its coverage could be written",
			  (unsigned long long)s->netns_ino);
}

int space_look(struct space *s, int diag, bool udp_too, bool bound_too)
{
	struct changed changed = {.first = {65535, 65535}};
	struct holder *holders;
	size_t n;
	int err = diag_holders(diag, udp_too || space_has_udp(s), bound_too, &holders, &n);

	if (err)
		return err;
	table_set_holders(&s->table, holders, n, space_has_wide(s) ? on_port_changed : NULL, &changed);
	s->looked_at = boottime_ms();
	if (s->blind)
		space_refresh_all(s);
	else
		refresh_changed(s, &changed);
	s->blind = false;
	return 0;
}

static bool has_bindings(const struct space *s)
{
	for (size_t i = 0; i < s->table.n_bindings; i++) {
		if (!s->table.bindings[i]->own)
			return true;
	}
	return false;
}

void space_keep_diag(struct space *s, int diag)
{
	if (s->diag < 0 && has_bindings(s))
		s->diag = diag;
	else
		close(diag);
}

void space_watch_holders(struct space *s)
{
	if (!has_bindings(s)) {
		if (s->diag >= 0)
			close(s->diag);
		s->diag = -1;
		return;
	}
	if (s->diag < 0 || !space_has_wide(s))
		return;
	if (space_look(s, s->diag, false, false) < 0)
		log_warn("namespace %llu: its sockets cannot be listed", (unsigned long long)s->netns_ino);
}

void space_look_again(struct space *s)
{
	if (s->diag >= 0 && boottime_ms() - s->looked_at >= LOOK_MS)
		space_look(s, s->diag, false, false);
}
