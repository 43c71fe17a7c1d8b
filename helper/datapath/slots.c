// SPDX-License-Identifier: BSD-2-Clause
/* The sockets of a listener: their slots in the map, and what the next helper needs to know of them. */
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "helper/fault.h"

static void record_member(const struct listener *l, const struct member *m, uint32_t head,
			  struct skl_member_record *out)
{
	*out = (struct skl_member_record){
		.cookie = m->cookie,
		.listener_id = l->id,
		.instance = m->instance,
		.since = m->since,
		.listener = head,
		.uid = m->uid,
		.pid = m->pid,
		.ifindex = l->ifindex,
		.port = l->port,
		.family = l->family,
		.protocol = l->protocol,
		.v6only = l->v6only,
		.reuseport = l->reuseport,
	};
	memcpy(out->address, l->address, sizeof(out->address));
	memcpy(out->program, m->program, sizeof(out->program));
}

/* The place of a dead member, or NULL. */
static struct member *dead_member(struct listener *l)
{
	for (size_t i = 0; i < l->n_members; i++) {
		if (l->members[i].dead)
			return &l->members[i];
	}
	return NULL;
}

static int fill_slot(struct datapath *d, const struct listener *l, const struct member *m, uint32_t head,
		     int fd)
{
	uint32_t slot = m->slot;
	uint64_t value = (uint32_t)fd;
	struct skl_member_record record;
	int err;

	record_member(l, m, head, &record);
	if (l->protocol == IPPROTO_UDP)
		__atomic_fetch_or(&d->tables->udp_ports[SKL_UDP_BIT(l->port) / 32],
				  1u << SKL_UDP_BIT(l->port) % 32, __ATOMIC_RELEASE);
	err = bpf_map_update_elem(d->member_records, &slot, &record, BPF_ANY);
	if (err)
		return err;
	fault_point("a socket is recorded");
	/*
	 * Never in place of another element: replacing one while its socket is
	 * closed was a use-after-free (fixed in 5.10.236, 6.1.125, 6.6.67, 6.12.6).
	 */
	bpf_map_delete_elem(d->sockets, &slot);
	err = bpf_map_update_elem(d->sockets, &slot, &value, BPF_NOEXIST);
	if (err)
		bpf_map_delete_elem(d->member_records, &slot);
	fault_point("a socket is in the map");
	return err;
}

int datapath_add_member(struct datapath *d, struct listener *l, struct member *m, int fd)
{
	struct member *place = dead_member(l);
	uint32_t head;
	int err;

	if (place) {
		m->slot = place->slot;
		err = fill_slot(d, l, m, l->members[0].slot, fd);
		if (!err)
			*place = *m;
		return err;
	}
	if (l->n_members == SKL_MEMBERS)
		return -EMFILE;
	m->slot = pool_take(&d->slots);
	if (!m->slot)
		return -ENOSPC;
	head = l->n_members ? l->members[0].slot : m->slot;
	d->tables->members[m->slot] = (struct skl_member){.ifindex = l->ifindex};
	err = fill_slot(d, l, m, head, fd);
	if (!err) {
		err = listener_add_member(l, m);
		if (err) {
			uint32_t slot = m->slot;

			bpf_map_delete_elem(d->sockets, &slot);
			bpf_map_delete_elem(d->member_records, &slot);
		}
	}
	if (err) {
		pool_give(&d->slots, m->slot);
		return err;
	}
	if (l->n_members > 1)
		__atomic_store_n(&d->tables->members[l->members[l->n_members - 2].slot].next, m->slot,
				 __ATOMIC_RELEASE);
	fault_point("a member is added");
	return 0;
}

bool datapath_member_alive(const struct datapath *d, const struct member *m)
{
	struct bpf_sk_lookup ctx = {.family = AF_INET, .protocol = IPPROTO_TCP, .local_port = m->slot};
	LIBBPF_OPTS(bpf_test_run_opts, run, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx));

	if (m->dead)
		return false;
	/* An error says nothing about the socket: what cannot be asked is not taken away. */
	return bpf_prog_test_run_opts(d->probe, &run) < 0 || run.retval == SK_PASS;
}

void datapath_drop_socket(struct datapath *d, const struct member *m)
{
	uint32_t slot = m->slot;

	bpf_map_delete_elem(d->sockets, &slot);
}

bool datapath_member_open(const struct datapath *d, const struct member *m)
{
	uint32_t slot = m->slot;
	uint64_t cookie;

	return bpf_map_lookup_elem(d->sockets, &slot, &cookie) == 0 && cookie == m->cookie;
}

void datapath_remove_listener(struct datapath *d, const struct listener *l)
{
	for (size_t i = l->n_members; i-- > 0;) {
		uint32_t slot = l->members[i].slot;

		bpf_map_delete_elem(d->sockets, &slot);
		fault_point("a socket is out of the map");
		bpf_map_delete_elem(d->member_records, &slot);
		fault_point("a socket is no longer recorded");
		pool_give(&d->slots, l->members[i].slot);
	}
}
