// SPDX-License-Identifier: BSD-2-Clause
/* What a directory of pins holds: which names are ours, and what of it is, in whatever version. */
#include "helper/datapath/shape_parts.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/pins.h"
#include "helper/fault.h"
#include "helper/log.h"

/* SHAPE_OBJECTS: none of these. A program's next one has the same name. */
static int find(const char *name)
{
	size_t i = 0;

	if (strncmp(name, SHAPE_NEXT, strlen(SHAPE_NEXT)) == 0)
		name += strlen(SHAPE_NEXT);
	while (i < SHAPE_OBJECTS && strcmp(name, shape_pins[i]) != 0)
		i++;
	return (int)i;
}

static bool is_reply(const char *name)
{
	return strcmp(name, SHAPE_REPLY) == 0 || strcmp(name, SHAPE_NEXT SHAPE_REPLY) == 0;
}

int shape_check_names(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	int err = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		bool known_name = find(entry->d_name) != SHAPE_OBJECTS || is_reply(entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    (known_name && entry->d_type == DT_REG))
			continue;
		log_error("%s/%s: %s", pins_shown(directory), entry->d_name,
			  known_name ? "is no pin" : "sklhelper pins nothing of this name");
		err = -EBADMSG;
	}
	closedir(dir);
	return err;
}

bool shape_has_sockets(const char *directory)
{
	char file[PINS_FILE];
	struct bpf_map_info info;
	bool any = true;
	int fd;

	snprintf(file, sizeof(file), "%s/%s", directory, shape_pins[LOAD_SOCKETS]);
	fd = shape_get(file);
	if (fd < 0)
		return true;
	if (shape_read_map(fd, &info) == 0 && info.type == BPF_MAP_TYPE_SOCKMAP &&
	    info.value_size == sizeof(uint64_t)) {
		any = false;
		for (uint32_t slot = 0; slot < info.max_entries && !any; slot++) {
			uint64_t cookie;

			any = bpf_map_lookup_elem(fd, &slot, &cookie) == 0 || errno != ENOENT;
		}
	}
	close(fd);
	return any;
}

bool shape_is_ours(const char *directory, const char *name)
{
	int which = find(name);
	char file[PINS_FILE];
	bool ours;
	int fd;

	if (which == SHAPE_OBJECTS && !is_reply(name))
		return false;
	snprintf(file, sizeof(file), "%s/%s", directory, name);
	fd = shape_get(file);
	if (fd < 0)
		return false;
	ours = shape_is(which, fd);
	close(fd);
	return ours;
}

int shape_remove(const char *directory, const char *name)
{
	char file[PINS_FILE];
	int link;

	snprintf(file, sizeof(file), "%s/%s", directory, name);
	if (find(name) == SHAPE_LINK) {
		link = shape_get(file);
		if (link >= 0) {
			bpf_link_detach(link);
			fault_point("the program of a namespace is detached");
			close(link);
		}
	}
	if (unlink(file) < 0)
		return -1;
	fault_point("a pin is removed");
	return 0;
}

uint32_t shape_netns(const char *directory)
{
	struct bpf_link_info info = {0};
	char file[PINS_FILE];
	int fd;

	snprintf(file, sizeof(file), "%s/%s", directory, shape_pins[SHAPE_LINK]);
	fd = shape_get(file);
	if (fd < 0)
		return 0;
	if (shape_read_link(fd, &info) < 0 || info.type != BPF_LINK_TYPE_NETNS)
		info.netns.netns_ino = 0;
	close(fd);
	return info.netns.netns_ino;
}
