// SPDX-License-Identifier: BSD-2-Clause
#include "helper/detach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "helper/log.h"
#include "helper/rules/policy.h"

/* 0: it is none. Numbers of listeners and bindings start at 1. */
static uint64_t parse_id(const char *text, size_t length)
{
	char *end;
	unsigned long long id;

	if (length < 5 || text[length - 1] != '\0' || strncmp(text, "ID=", 3) != 0)
		return 0;
	if (text[3] < '0' || text[3] > '9')
		return 0;
	errno = 0;
	id = strtoull(text + 3, &end, 10);
	return errno || end != text + length - 1 ? 0 : id;
}

static bool may(const struct peer *peer, uint32_t uid)
{
	return peer->uid == 0 || peer->uid == uid;
}

static void end_listener(struct space *s, const struct peer *peer, struct listener *l)
{
	char where[LISTENER_TEXT];

	listener_format(l, where);
	log_info("uid %u pid %d (%s): listener %llu (%s, %s): detached", peer->uid, peer->pid, peer->program,
		 (unsigned long long)l->id, l->members[0].program, where);
	space_forget_listener(s, l);
}

static bool has_bindings(const struct table *t, const struct listener *l)
{
	for (size_t i = 0; i < t->n_bindings; i++) {
		if (t->bindings[i]->listener == l && !t->bindings[i]->own)
			return true;
	}
	return false;
}

static void end_binding(struct space *s, const struct peer *peer, struct binding *b)
{
	struct listener *l = b->listener;
	char what[RULE_TEXT], prefix[PREFIX_TEXT];

	rule_format(&b->rule, what);
	prefix_format(&b->rule.prefix, prefix);
	log_info("uid %u pid %d (%s): listener %llu: %s on %s: detached", peer->uid, peer->pid, peer->program,
		 (unsigned long long)l->id, what, prefix);
	space_forget_binding(s, b);
	if (!has_bindings(&s->table, l))
		end_listener(s, peer, l);
}

static bool end_in(struct space *s, const struct peer *peer, uint64_t id)
{
	const struct table *t = &s->table;

	for (size_t i = 0; i < t->n_listeners; i++) {
		if (t->listeners[i]->id == id && may(peer, t->listeners[i]->members[0].uid)) {
			end_listener(s, peer, t->listeners[i]);
			return true;
		}
	}
	for (size_t i = 0; i < t->n_bindings; i++) {
		if (t->bindings[i]->id == id && !t->bindings[i]->own && may(peer, t->bindings[i]->uid)) {
			end_binding(s, peer, t->bindings[i]);
			return true;
		}
	}
	return false;
}

int detach(struct spaces *spaces, const struct peer *peer, const char *text, size_t length, struct say *s)
{
	uint64_t id = parse_id(text, length);

	if (!id)
		return say_error(s, EINVAL, "detach", "this is not the number of a listener or binding");
	for (struct space *space = spaces->first; space; space = space->next) {
		if (end_in(space, peer, id))
			return 0;
	}
	return say_error(s, ESRCH, "detach",
			 "none of yours has the number %llu (skl status -j shows all numbers)",
			 (unsigned long long)id);
}
