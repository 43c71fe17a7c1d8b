// SPDX-License-Identifier: BSD-2-Clause
#include "helper/spaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/pins.h"
#include "helper/log.h"

#define SPACES_MAX 512	/* network namespaces at the same time */
#define LINGER_MS  5000 /* an empty namespace keeps its programs, for a server that is being restarted */

static struct space *find(const struct spaces *all, uint64_t netns_ino)
{
	struct space *s = all->first;

	while (s && s->netns_ino != netns_ino)
		s = s->next;
	return s;
}

static size_t count(const struct spaces *all)
{
	size_t n = 0;

	for (const struct space *s = all->first; s; s = s->next)
		n++;
	return n;
}

/* Also those that are empty for the moment: each of them costs memory, and time to be made. */
static bool has_too_many(const struct spaces *all, uint32_t uid)
{
	size_t n = 0;

	for (const struct space *s = all->first; s; s = s->next)
		n += s->uid == uid;
	return uid != 0 && n >= NAMESPACE_MAX;
}

struct usage spaces_usage(struct spaces *all, struct space *here, uint32_t uid, bool sweep)
{
	struct usage u = {0};

	for (struct space *s = all->first; s; s = s->next) {
		struct usage one = {0};

		usage_add(&one, &s->table, uid);
		if (sweep && (one.sockets || one.bindings))
			space_sweep(s);
		usage_add(&u, &s->table, uid);
	}
	u.ranges = usage_ranges(&here->table, uid);
	return u;
}

static void remove_space(struct spaces *all, struct space *s)
{
	struct space **link = &all->first;

	while (*link != s)
		link = &(*link)->next;
	*link = s->next;
	space_remove(s);
}

int spaces_tick(struct spaces *all)
{
	struct space *s, *following;
	int next = -1, wish;

	for (s = all->first; s; s = following) {
		following = s->next;
		wish = space_tend(s);
		if (s->empty_since && boottime_ms() - s->empty_since >= LINGER_MS) {
			remove_space(all, s);
			continue;
		}
		if (next < 0 || wish < next)
			next = wish;
	}
	datapath_prepare(); /* what fails here is reported by the claim that needs it */
	return next;
}

bool spaces_empty(const struct spaces *s)
{
	for (const struct space *one = s->first; one; one = one->next) {
		if (one->table.n_listeners)
			return false;
	}
	return true;
}

static void adopt(void *context, const char *path, uint64_t netns_ino)
{
	struct spaces *all = context;
	struct space *s = space_new(netns_ino, 0);
	int err = s ? datapath_adopt(&s->datapath, path, &s->table) : -ENOMEM;

	if (err) {
		free(s);
		if (err == -ESTALE) {
			log_notice("%s: its namespace is gone: removed", path);
			pins_remove(path);
		} else {
			log_error("%s: cannot be taken over: %s", path, strerror(-err));
		}
		return;
	}
	s->next = all->first;
	all->first = s;
	if (s->table.n_listeners) {
		s->uid = s->table.listeners[0]->members[0].uid;
		s->empty_since = 0;
	}
	log_notice("namespace %llu: taken over with %zu listeners and %zu bindings",
		   (unsigned long long)netns_ino, s->table.n_listeners, s->table.n_bindings);
	space_catch_up(s);
}

static int make(struct spaces *all, const char *path, int netns, uint64_t netns_ino, uint32_t uid,
		struct space **out)
{
	struct space *s = space_new(netns_ino, uid);
	int err = s ? datapath_create(&s->datapath, path, netns) : -ENOMEM;

	if (err) {
		free(s);
		return err;
	}
	s->next = all->first;
	all->first = s;
	*out = s;
	return 0;
}

int spaces_get(struct spaces *all, int netns, uint64_t netns_ino, uint32_t uid, struct space **out)
{
	char path[PINS_PATH];
	int stale, err;

	*out = find(all, netns_ino);
	stale = *out ? datapath_is_stale((*out)->datapath) : 0;
	if (stale < 0)
		return stale;
	if (stale) /* the inode number of a namespace that is gone, given to another */
		remove_space(all, *out);
	else if (*out)
		return 0;
	if (has_too_many(all, uid))
		return -EDQUOT;
	if (count(all) == SPACES_MAX)
		return -EMFILE;
	pins_path(path, sizeof(path), all->base, netns_ino);
	err = make(all, path, netns, netns_ino, uid, out);
	if (err != -ENOTEMPTY && err != -EEXIST)
		return err;
	/* what could not be removed, or be taken over, when that was due */
	adopt(all, path, netns_ino);
	*out = find(all, netns_ino);
	return *out ? 0 : make(all, path, netns, netns_ino, uid, out);
}

void spaces_adopt(struct spaces *s)
{
	pins_each(s->base, adopt, s);
}

void spaces_close(struct spaces *all)
{
	while (all->first) {
		struct space *s = all->first;

		all->first = s->next;
		space_close(s);
	}
}

void spaces_remove(struct spaces *all)
{
	while (all->first)
		remove_space(all, all->first);
}
