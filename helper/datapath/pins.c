// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/pins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NAME	   "net-"
#define UNFINISHED "new-" NAME /* a bpffs allows no dot in a name */

static bool on_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

int pins_prepare(const char *base)
{
	char parent[PINS_BASE], *slash;

	if (strlen(base) >= PINS_BASE)
		return -ENAMETOOLONG;
	if (mkdir(base, 0700) < 0 && errno != EEXIST) {
		int err = errno;

		snprintf(parent, sizeof(parent), "%s", base);
		slash = strrchr(parent, '/');
		if (slash && slash != parent)
			*slash = '\0';
		/* a directory of sysfs cannot be made: what is missing is the file system */
		return on_bpffs(parent) ? -err : -ENOTSUP;
	}
	if (on_bpffs(base))
		return 0;
	rmdir(base);
	return -ENOTSUP;
}

void pins_path(char *out, size_t size, const char *base, uint64_t netns_ino)
{
	snprintf(out, size, "%s/" NAME "%" PRIu64, base, netns_ino);
}

int pins_begin(const char *path, char *temporary, size_t size)
{
	const char *name = strrchr(path, '/') + 1;
	int n = snprintf(temporary, size, "%.*snew-%s", (int)(name - path), path, name);

	if (n < 0 || (size_t)n >= size)
		return -ENAMETOOLONG;
	pins_remove(temporary);
	return mkdir(temporary, 0700) < 0 ? -errno : 0;
}

int pins_commit(const char *temporary, const char *path)
{
	return rename(temporary, path) < 0 ? -errno : 0;
}

int pins_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			err = -errno;
	}
	closedir(dir);
	if (rmdir(path) < 0)
		err = -errno;
	return err;
}

/* The inode number in "net-123"; 0 for any other name. */
static uint64_t parse_name(const char *name)
{
	char *end;
	uint64_t ino;

	if (strncmp(name, NAME, strlen(NAME)) != 0)
		return 0;
	ino = strtoull(name + strlen(NAME), &end, 10);
	return *end == '\0' ? ino : 0;
}

int pins_each(const char *base, pins_visit *visit, void *context)
{
	DIR *dir = opendir(base);
	struct dirent *entry;
	char path[PINS_PATH];

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		uint64_t ino = parse_name(entry->d_name);

		if (snprintf(path, sizeof(path), "%s/%s", base, entry->d_name) >= (int)sizeof(path))
			continue;
		if (strncmp(entry->d_name, UNFINISHED, strlen(UNFINISHED)) == 0)
			pins_remove(path);
		else if (ino)
			visit(context, path, ino);
	}
	closedir(dir);
	return 0;
}
