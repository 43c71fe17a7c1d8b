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
#include <time.h>
#include <unistd.h>

#include "helper/fault.h"

/* Of directories; a bpffs allows no dot in a name. */
#define NAME	"net-"
#define NEW	"new-" NAME
#define OLD	"old-" NAME
#define DAMAGED "damaged-" NAME

static bool on_bpffs(const char *path)
{
	struct statfs fs;

	return statfs(path, &fs) == 0 && fs.f_type == BPF_FS_MAGIC;
}

int pins_check(const char *base)
{
	struct stat st;

	if (strlen(base) >= PINS_BASE)
		return -ENAMETOOLONG;
	if (stat(base, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) && on_bpffs(base) ? 0 : -ENOTSUP;
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

/* By opening it: this works for a process that may look at directories alone. */
static int open_directory(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

bool pins_exist(const char *path)
{
	int fd = open_directory(path);

	if (fd >= 0)
		close(fd);
	return fd != -ENOENT;
}

int pins_check_directory(const char *path)
{
	int fd = open_directory(path);

	if (fd >= 0)
		close(fd);
	return fd == -ENOTDIR || fd == -ELOOP ? -EBADMSG : fd < 0 ? fd : 0;
}

const char *pins_shown(const char *path)
{
	return strncmp(path, "./", 2) == 0 ? path + 2 : path;
}

/* Its name with `prefix` in place of what stands before its inode number. */
static int beside(const char *path, const char *prefix, char *out, size_t size)
{
	const char *name = strrchr(path, '/') + 1;
	int n = snprintf(out, size, "%.*s%s%s", (int)(name - path), path, prefix,
			 strstr(name, NAME) + strlen(NAME));

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

/* Unlinks all in it and removes it. */
static int clear(const char *path)
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
		fault_point("a pin is removed");
	}
	closedir(dir);
	if (rmdir(path) < 0)
		err = -errno;
	return err;
}

int pins_begin(const char *path, char *temporary, size_t size)
{
	int err = beside(path, NEW, temporary, size);

	if (err)
		return err;
	clear(temporary);
	if (mkdir(temporary, 0700) < 0)
		return -errno;
	fault_point("the directory of a namespace is made");
	return 0;
}

int pins_commit(const char *temporary, const char *path)
{
	if (rename(temporary, path) < 0)
		return -errno;
	fault_point("a namespace is pinned");
	return 0;
}

int pins_remove(const char *path)
{
	char old[PINS_PATH];
	int err = beside(path, OLD, old, sizeof(old));

	if (err)
		return err;
	if (strcmp(old, path) != 0) {
		clear(old);
		if (rename(path, old) < 0)
			return -errno;
		fault_point("a namespace is no longer pinned");
	}
	return clear(old);
}

int pins_set_aside(const char *path, char *out, size_t size)
{
	char name[PINS_PATH];
	int err = beside(path, DAMAGED, name, sizeof(name));

	for (time_t now = time(NULL); !err; now++) {
		int n = snprintf(out, size, "%s-%lld", name, (long long)now);

		if (n < 0 || (size_t)n >= size)
			return -ENAMETOOLONG;
		if (rename(path, out) == 0)
			return 0;
		if (errno != EEXIST && errno != ENOTEMPTY)
			err = -errno;
	}
	return err;
}

/* Reads the prefix and the number after it, as we write it; *rest is what follows. */
static bool has_name(const char *name, const char *prefix, uint64_t *ino, const char **rest)
{
	char canonical[24];
	char *end;

	if (strncmp(name, prefix, strlen(prefix)) != 0)
		return false;
	name += strlen(prefix);
	*ino = strtoull(name, &end, 10);
	*rest = end;
	snprintf(canonical, sizeof(canonical), "%" PRIu64, *ino);
	return *ino && strlen(canonical) == (size_t)(end - name) &&
	       strncmp(name, canonical, (size_t)(end - name)) == 0;
}

static enum pins_kind parse_name(const char *name, uint64_t *ino)
{
	const char *rest;

	if (has_name(name, NAME, ino, &rest) && *rest == '\0')
		return PINS_SPACE;
	if ((has_name(name, NEW, ino, &rest) || has_name(name, OLD, ino, &rest)) && *rest == '\0')
		return PINS_UNFINISHED;
	if (has_name(name, DAMAGED, ino, &rest) && *rest == '-' && rest[1] != '\0' &&
	    rest[1 + strspn(rest + 1, "0123456789")] == '\0')
		return PINS_ASIDE;
	*ino = 0;
	return PINS_FOREIGN;
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

int pins_each(const char *base, pins_visit *visit, void *context)
{
	struct dirent **list;
	int n = scandir(base, &list, is_entry, alphasort);

	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		char path[PINS_BASE + NAME_MAX + 2];
		struct pins_entry entry = {.path = path};

		entry.kind = parse_name(list[i]->d_name, &entry.netns_ino);
		snprintf(path, sizeof(path), "%s/%s", base, list[i]->d_name);
		visit(context, &entry);
		free(list[i]);
	}
	free(list);
	return 0;
}
