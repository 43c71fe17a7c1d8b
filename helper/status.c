// SPDX-License-Identifier: BSD-2-Clause
#include "helper/status.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper/rules/policy.h"
#include "helper/wire.h"

_Static_assert(sizeof(struct skl_record_listener) % 8 == 0 && sizeof(struct skl_record_binding) % 8 == 0 &&
		       sizeof(struct skl_record_error) % 8 == 0,
	       "records are multiples of 8 bytes");

static const struct member *first_living(const struct listener *l, uint16_t *n)
{
	const struct member *first = NULL;

	*n = 0;
	for (size_t i = 0; i < l->n_members; i++) {
		if (l->members[i].dead)
			continue;
		if (!first)
			first = &l->members[i];
		++*n;
	}
	return first ? first : &l->members[0];
}

static void set_state(struct skl_record_binding *r, const struct space *s, const struct binding *b)
{
	const struct holder *shadowed = policy_shadowed(&s->table, b);
	uint16_t living;

	first_living(b->listener, &living);
	r->state = SKL_BINDING_LIVE;
	if (!living) {
		r->state = SKL_BINDING_STALE;
	} else if (shadowed) {
		r->state = SKL_BINDING_SHADOWED;
		r->shadowed_uid = shadowed->uid;
	}
}

#define ERRNO_MAX 133

/* The kernel has few reasons to refuse a socket, and it seldom does: a look for each is soon done. */
static void write_errors(FILE *out, const struct space *s, const struct binding *b, uint64_t left)
{
	for (uint32_t error = 1; left > 0 && error <= ERRNO_MAX; error++) {
		struct skl_record_error r = {
			.head = {.kind = SKL_RECORD_ERROR, .length = sizeof(r)},
			.binding = b->id,
			.count = datapath_errors(s->datapath, b, (int)error),
			.error = error,
		};

		if (r.count == 0)
			continue;
		fwrite(&r, sizeof(r), 1, out);
		left -= r.count < left ? r.count : left;
	}
}

static void write_binding(FILE *out, const struct space *s, const struct binding *b,
			  const struct datapath_events *events)
{
	struct skl_record_binding r = {
		.head = {.kind = SKL_RECORD_BINDING, .length = sizeof(r)},
		.id = b->id,
		.listener = b->listener->id,
		.port_first = b->rule.first,
		.port_last = b->rule.last,
		.family = b->rule.prefix.family,
		.protocol = b->rule.protocol,
		.prefixlen = b->rule.prefix.length,
		.routed = b->routed,
	};

	set_state(&r, s, b);
	r.lookups = datapath_lookups(s->datapath, b);
	r.misses = events[b->index].misses;
	r.errors = events[b->index].errors;
	memcpy(r.address, b->rule.prefix.address, sizeof(r.address));
	r.left_out = (uint16_t)binding_left_out_text(&s->table, b, r.less, sizeof(r.less));
	fwrite(&r, sizeof(r), 1, out);
	write_errors(out, s, b, r.errors);
}

static void write_listener(FILE *out, const struct space *s, const struct listener *l,
			   const struct datapath_events *events, uint64_t now)
{
	struct skl_record_listener r = {
		.head = {.kind = SKL_RECORD_LISTENER, .length = sizeof(r)},
		.id = l->id,
		.netns = s->netns_ino,
		.ifindex = l->ifindex,
		.port = l->port,
		.family = l->family,
		.protocol = l->protocol,
		.v6only = l->v6only,
	};
	const struct member *m = first_living(l, &r.members);

	r.age_ms = now > m->since ? (now - m->since) / 1000000 : 0;
	r.uid = m->uid;
	r.pid = m->pid;
	r.state = r.members ? SKL_LISTENER_LIVE : SKL_LISTENER_STALE;
	memcpy(r.address, l->address, sizeof(r.address));
	memcpy(r.program, m->program, sizeof(r.program));
	fwrite(&r, sizeof(r), 1, out);
	for (size_t i = 0; i < s->table.n_bindings; i++) {
		if (s->table.bindings[i]->listener == l && !s->table.bindings[i]->own)
			write_binding(out, s, s->table.bindings[i], events);
	}
}

static bool may_see(const struct peer *peer, const struct listener *l)
{
	uint16_t n;

	return peer->uid == 0 || peer->uid == first_living(l, &n)->uid;
}

static int write_space(FILE *out, const struct space *s, const struct peer *peer, uint64_t now)
{
	struct datapath_events *events = datapath_read_events(s->datapath);

	if (!events)
		return -ENOMEM;
	for (size_t i = 0; i < s->table.n_listeners; i++) {
		if (may_see(peer, s->table.listeners[i]) && !s->table.listeners[i]->answering)
			write_listener(out, s, s->table.listeners[i], events, now);
	}
	free(events);
	return 0;
}

static void write_helper(FILE *out)
{
	struct skl_record_helper r = {
		.head = {.kind = SKL_RECORD_HELPER, .length = sizeof(r)},
		.pid = getpid(),
		.version = SKL_VERSION,
	};

	fwrite(&r, sizeof(r), 1, out);
}

int status_memfd(struct spaces *spaces, struct sharing *sharing, const struct peer *peer)
{
	int fd = memfd_create("skl-status", MFD_CLOEXEC | MFD_ALLOW_SEALING), copy, err = 0;
	uint64_t now = boottime_ns();
	FILE *out;

	if (fd < 0)
		return -errno;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	out = copy < 0 ? NULL : fdopen(copy, "w");
	if (!out) {
		err = -errno;
		if (copy >= 0)
			close(copy);
		close(fd);
		return err;
	}
	write_helper(out);
	for (struct space *s = spaces->first; s && !err; s = s->next) {
		space_look_again(s);
		err = write_space(out, s, peer, now);
	}
	share_status(sharing, out, peer);
	if (!err && ferror(out))
		err = -EIO;
	if (fclose(out) != 0 && !err)
		err = -errno;
	if (!err && fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}
