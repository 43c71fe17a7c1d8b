// SPDX-License-Identifier: BSD-2-Clause
#include "helper/space_routes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/netns.h"
#include "helper/fault.h"
#include "helper/log.h"

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct prefix));
}

int space_routes(const struct space *s, struct prefix **out)
{
	const struct table *t = &s->table;
	struct prefix *all = malloc((t->n_bindings + 1) * sizeof(*all));
	int n = 0, unique = 0;

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < t->n_bindings; i++) {
		if (t->bindings[i]->routed)
			all[n++] = t->bindings[i]->rule.prefix;
	}
	qsort(all, (size_t)n, sizeof(*all), compare);
	for (int i = 0; i < n; i++) {
		if (i == 0 || compare(&all[i], &all[i - 1]) != 0)
			all[unique++] = all[i];
	}
	*out = all;
	return unique;
}

bool space_has_route(const struct space *s, const struct prefix *p)
{
	for (size_t i = 0; i < s->table.n_bindings; i++) {
		const struct binding *b = s->table.bindings[i];

		if (b->routed && prefix_same(&b->rule.prefix, p))
			return true;
	}
	return false;
}

static bool has_routes(const struct space *s)
{
	for (size_t i = 0; i < s->table.n_bindings; i++) {
		if (s->table.bindings[i]->routed)
			return true;
	}
	return false;
}

/* Records with all bindings of the listener (NULL: of any) for this prefix whether they use a route. */
static int record(struct space *s, const struct listener *l, const struct prefix *p, bool routed)
{
	int err = 0;

	for (size_t i = 0; i < s->table.n_bindings && !err; i++) {
		struct binding *b = s->table.bindings[i];

		if ((!l || b->listener == l) && !b->own && b->routed != routed &&
		    prefix_same(&b->rule.prefix, p))
			err = datapath_record_routed(s->datapath, b, routed);
	}
	return err;
}

/* What keeps the namespace at hand also keeps it alive: no longer than there is a route to be deleted. */
static int hold(struct space *s, int netns)
{
	if (s->routed < 0)
		s->routed = fcntl(netns, F_DUPFD_CLOEXEC, 0);
	return s->routed < 0 ? -errno : 0;
}

static void let_go(struct space *s)
{
	if (s->routed < 0 || has_routes(s))
		return;
	close(s->routed);
	s->routed = -1;
}

int space_add_route(struct space *s, int netns, const struct listener *l, const struct prefix *p)
{
	bool there = space_has_route(s, p);
	char text[PREFIX_TEXT];
	int err;

	err = hold(s, netns);
	if (!err)
		err = record(s, l, p, true);
	fault_point("a route is recorded");
	if (!err)
		err = netns_add_route(netns, p);
	fault_point("a route is made");
	if (err == -EEXIST && there)
		err = 0;
	if (err) {
		record(s, l, p, false);
		let_go(s);
		return err;
	}
	prefix_format(p, text);
	if (!there)
		log_info("namespace %llu: %s is local now", (unsigned long long)s->netns_ino, text);
	return 0;
}

static void delete_route(struct space *s, const struct prefix *p)
{
	char text[PREFIX_TEXT];
	int err = -ENOENT;

	if (s->routed < 0 && datapath_is_stale(s->datapath) > 0)
		return; /* it went with its namespace */
	prefix_format(p, text);
	/* after a restart it may not have been found before */
	if (s->routed < 0)
		s->routed = netns_find(s->netns_ino);
	if (s->routed >= 0)
		err = netns_delete_route(s->routed, p);
	fault_point("a route is deleted");
	if (!err)
		log_info("namespace %llu: %s is no longer local", (unsigned long long)s->netns_ino, text);
	else if (err != -ESRCH) /* somebody else has deleted it */
		log_warn("namespace %llu: the local route for %s cannot be deleted: %s",
			 (unsigned long long)s->netns_ino, text, strerror(-err));
}

void space_release_routes(struct space *s, struct binding *const *gone, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct prefix *p = &gone[i]->rule.prefix;

		if (!gone[i]->routed)
			continue;
		if (!space_has_route(s, p))
			delete_route(s, p);
		for (size_t j = i; j < n; j++) {
			if (prefix_same(&gone[j]->rule.prefix, p))
				gone[j]->routed = false;
		}
	}
	let_go(s);
}

void space_drop_routes(struct space *s)
{
	struct prefix *all;
	int n = space_routes(s, &all);

	if (n < 0) {
		log_error("namespace %llu: its local routes cannot be deleted: %s",
			  (unsigned long long)s->netns_ino, strerror(-n));
		return;
	}
	for (int i = 0; i < n; i++) {
		delete_route(s, &all[i]);
		record(s, NULL, &all[i], false);
	}
	free(all);
	let_go(s);
}

void space_watch_routes(struct space *s)
{
	struct prefix crowded[NETNS_CROWDED];
	uint64_t start = boottime_ns();
	char text[PREFIX_TEXT];
	int n;

	if (s->routed < 0 || start < s->watch_routes_at)
		return;
	n = netns_crowded_routes(s->routed, crowded);
	for (int i = 0; i < n; i++) {
		prefix_format(&crowded[i], text);
		log_notice(
			"namespace %llu: the route for %s would cut off a network or gateway that came later",
			(unsigned long long)s->netns_ino, text);
		delete_route(s, &crowded[i]);
		record(s, NULL, &crowded[i], false);
	}
	let_go(s);
	/* long lists take long: no more than a small part of the time */
	s->watch_routes_at = boottime_ns() + (boottime_ns() - start) * 50;
}

static bool is_in(const struct prefix *p, const struct prefix *all, int n)
{
	for (int i = 0; i < n; i++) {
		if (prefix_same(&all[i], p))
			return true;
	}
	return false;
}

/* The kernel's list becomes that of the table, as far as routes of ours go. 0 or -errno. */
static int settle(struct space *s, const struct prefix *there, int n)
{
	struct prefix *wanted;
	int n_wanted = space_routes(s, &wanted);

	if (n_wanted < 0)
		return n_wanted;
	for (int i = 0; i < n; i++) {
		if (!is_in(&there[i], wanted, n_wanted))
			delete_route(s, &there[i]);
	}
	for (int i = 0; i < n_wanted; i++) {
		char text[PREFIX_TEXT];
		int err = is_in(&wanted[i], there, n) ? 0 : netns_add_route(s->routed, &wanted[i]);

		if (!err)
			continue;
		prefix_format(&wanted[i], text);
		log_warn("namespace %llu: %s cannot be made local again: %s",
			 (unsigned long long)s->netns_ino, text, strerror(-err));
		record(s, NULL, &wanted[i], false);
	}
	free(wanted);
	return 0;
}

void space_catch_up_routes(struct space *s, int netns)
{
	struct prefix *there;
	int n = netns_routes(netns, &there), err = n < 0 ? n : 0;

	if (!err)
		err = hold(s, netns);
	if (!err)
		err = settle(s, there, n);
	if (err)
		log_warn("namespace %llu: its local routes cannot be looked after: %s",
			 (unsigned long long)s->netns_ino, strerror(-err));
	free(there);
	let_go(s);
}
