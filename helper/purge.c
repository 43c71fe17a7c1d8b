// SPDX-License-Identifier: BSD-2-Clause
#include "helper/purge.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/datapath/netns.h"
#include "helper/datapath/pins.h"
#include "helper/datapath/shape.h"
#include "helper/server/server.h"
#include "helper/wire.h"

struct tally {
	unsigned int removed, left;
};

__attribute__((format(printf, 2, 3))) static void leave(struct tally *tally, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("left ", stdout);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	tally->left++;
}

/*
 * What stands in the namespace itself: the reply program on its interfaces, and
 * routes. Which namespace that is, the link knows better than the name.
 */
static void purge_namespace(struct tally *tally, const struct pins_entry *entry)
{
	uint64_t attached = shape_netns(entry->path), ino = attached ? attached : entry->netns_ino;
	int netns = netns_find(ino), err;

	if (netns < 0) {
		if (attached)
			leave(tally,
			      "what may be on the interfaces and in the routes of network namespace %llu: no "
			      "process is in it",
			      (unsigned long long)ino);
		return;
	}
	err = netns_clear(netns);
	close(netns);
	if (err)
		leave(tally, "something on the interfaces or in the routes of network namespace %llu: %s",
		      (unsigned long long)ino, strerror(-err));
}

static int is_pin(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Returns how many were removed, or -errno. */
static int purge_pins(struct tally *tally, const char *directory)
{
	struct dirent **list;
	int n = scandir(directory, &list, is_pin, alphasort), removed = 0;

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		char path[PINS_FILE + NAME_MAX];

		snprintf(path, sizeof(path), "%s/%s", directory, list[i]->d_name);
		if (!shape_is_ours(directory, list[i]->d_name))
			leave(tally, "%s: not made by sklhelper", path);
		else if (shape_remove(directory, list[i]->d_name) < 0)
			leave(tally, "%s: %s", path, strerror(errno));
		else
			removed++;
		free(list[i]);
	}
	free(list);
	return removed;
}

static void purge_entry(void *context, const struct pins_entry *entry)
{
	struct tally *tally = context;
	int pins;

	if (entry->kind == PINS_FOREIGN || pins_check_directory(entry->path) < 0) {
		leave(tally, "%s: not made by sklhelper", entry->path);
		return;
	}
	purge_namespace(tally, entry);
	pins = purge_pins(tally, entry->path);
	if (pins < 0 || rmdir(entry->path) < 0) {
		if (pins < 0 || errno != ENOTEMPTY)
			leave(tally, "%s: %s", entry->path, strerror(errno));
		return;
	}
	printf("removed %s with %d pins\n", entry->path, pins);
	tally->removed++;
}

static void purge_socket(struct tally *tally, const char *path)
{
	pid_t answering = server_answering(path);
	struct stat st;

	if (lstat(path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	if (answering) {
		leave(tally, "%s: a helper with its state elsewhere answers there", path);
	} else if (unlink(path) < 0) {
		leave(tally, "%s: %s", path, strerror(errno));
	} else {
		printf("removed %s\n", path);
		tally->removed++;
	}
}

/* Only the usual one is a helper's for certain. */
static void purge_directory_of(struct tally *tally, const char *socket)
{
	char directory[] = SKL_HELPER_SOCKET;

	if (strcmp(socket, SKL_HELPER_SOCKET) != 0)
		return;
	*strrchr(directory, '/') = '\0';
	if (rmdir(directory) == 0) {
		printf("removed %s\n", directory);
		tally->removed++;
	}
}

int purge(const char *base, const char *socket)
{
	struct tally tally = {0};

	if (pins_check(base) == 0) {
		pins_each(base, purge_entry, &tally);
		if (rmdir(base) == 0) {
			printf("removed %s\n", base);
			tally.removed++;
		}
	}
	purge_socket(&tally, socket);
	purge_directory_of(&tally, socket);
	if (!tally.removed && !tally.left)
		puts("nothing was there to remove");
	return tally.left ? 1 : 0;
}
