// SPDX-License-Identifier: BSD-2-Clause
#include "helper/spaces.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/netns.h"
#include "helper/datapath/pins.h"
#include "helper/datapath/shape.h"
#include "helper/log.h"

#define SPACES_MAX  512	 /* network namespaces at the same time */
#define SPACES_ROOT 64	 /* of them for root alone, however many users there are */
#define LINGER_MS   5000 /* an empty namespace keeps its programs, for a server that is being restarted */

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

static void set_aside(const struct spaces *all, const char *path)
{
	char aside[PINS_PATH];
	int err = pins_set_aside(path, aside, sizeof(aside));

	if (err)
		log_error("%s: cannot be moved aside: %s", pins_shown(path), strerror(-err));
	else
		log_error("%s: is damaged, or not sklhelper's: now it is %s/%s; what it still covers, it "
			  "goes on "
			  "to cover; rm -r, or sklhelper --purge, ends that",
			  pins_shown(path), all->shown, pins_shown(aside));
}

/*
 * Takes over what is pinned for a namespace. Returns 0, -ENOENT when nothing
 * is there (any more), -EPROTO when it is another version's, or -errno.
 */
static int adopt(struct spaces *all, const char *path, uint64_t netns_ino)
{
	struct space *s = space_new(netns_ino, 0);
	int err = s ? datapath_adopt(&s->datapath, path, netns_ino, &s->table) : -ENOMEM;

	if (err) {
		free(s);
		if (err == -ESTALE) {
			log_notice("%s: its namespace is gone: removed", pins_shown(path));
			err = pins_remove(path);
		} else if (err == -EBADMSG) {
			set_aside(all, path);
			err = 0;
		}
		return err ? err : -ENOENT;
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
	return 0;
}

/* Another version's coverage goes on, and makes way when there is nobody left whom it serves. */
static int replace_version(const char *path, int netns)
{
	int err;

	if (shape_has_sockets(path))
		return -EBUSY;
	err = netns_clear(netns);
	if (err)
		return err;
	log_notice("%s: another version's, and serves no socket any more: removed", pins_shown(path));
	return pins_remove(path);
}

/* Sees to it that nothing is pinned for a namespace that is not known, or that it is. */
static int clear_up(struct spaces *all, const char *path, uint64_t netns_ino, int netns)
{
	int err;

	if (!pins_exist(path))
		return 0;
	err = adopt(all, path, netns_ino);
	if (err == -EPROTO)
		err = replace_version(path, netns);
	return err == -ENOENT ? 0 : err;
}

static int make(struct spaces *all, const char *path, uint64_t netns_ino, int netns, uint32_t uid,
		struct space **out)
{
	struct space *s;
	int err;

	if (has_too_many(all, uid))
		return -EDQUOT;
	if (count(all) >= SPACES_MAX - (uid != 0 ? SPACES_ROOT : 0))
		return -EMFILE;
	s = space_new(netns_ino, uid);
	err = s ? datapath_create(&s->datapath, path, netns) : -ENOMEM;
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
	pins_path(path, sizeof(path), all->base, netns_ino);
	err = clear_up(all, path, netns_ino, netns);
	if (err)
		return err;
	*out = find(all, netns_ino);
	return *out ? 0 : make(all, path, netns_ino, netns, uid, out);
}

static void on_entry(void *context, const struct pins_entry *entry)
{
	const struct spaces *all = context;
	const char *name = pins_shown(entry->path);
	int err;

	switch (entry->kind) {
	case PINS_SPACE:
		err = adopt(context, entry->path, entry->netns_ino);
		if (err == -EPROTO)
			log_error("%s: another version of sklhelper made it: what it covers, it goes on to "
				  "cover; claims of that network namespace are refused until these programs "
				  "have ended, or sklhelper --purge is called",
				  name);
		else if (err && err != -ENOENT)
			log_error("%s: cannot be taken over: %s", name, strerror(-err));
		break;
	case PINS_UNFINISHED:
		pins_remove(entry->path);
		break;
	case PINS_ASIDE:
		log_warn("%s/%s: was moved aside, and still covers what it does; rm -r, or sklhelper "
			 "--purge, ends that",
			 all->shown, name);
		break;
	case PINS_FOREIGN:
		log_warn("%s/%s: is not sklhelper's: left alone", all->shown, name);
		break;
	}
}

void spaces_adopt(struct spaces *s)
{
	pins_each(s->base, on_entry, s);
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
