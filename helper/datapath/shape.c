// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/shape.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/datapath/pins.h"
#include "helper/log.h"

const char *const shape_pins[SHAPE_OBJECTS] = {
	[SHAPE_TABLES] = "tables",   [SHAPE_SOCKETS] = "sockets",   [SHAPE_TRIE] = "trie",
	[SHAPE_LOOKUPS] = "lookups", [SHAPE_EVENTS] = "events",	    [SHAPE_MEMBERS] = "members",
	[SHAPE_BINDINGS] = "bindings", [SHAPE_FLOWS] = "flows",	    [SHAPE_DISPATCH] = "dispatch",
	[SHAPE_PROBE] = "probe",     [SHAPE_LINK] = "link",
};

static struct bpf_map_info maps[SHAPE_MAPS];
static struct bpf_prog_info programs[SHAPE_OBJECTS];

static int read_map(int fd, struct bpf_map_info *info)
{
	uint32_t length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &length) < 0 ? -errno : 0;
}

static int read_program(int fd, struct bpf_prog_info *info)
{
	uint32_t length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &length) < 0 ? -errno : 0;
}

static int read_link(int fd, struct bpf_link_info *info)
{
	uint32_t length = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &length) < 0 ? -errno : 0;
}

int shape_learn(const int fds[SHAPE_OBJECTS])
{
	int err = 0;

	for (size_t i = 0; i < SHAPE_MAPS && !err; i++)
		err = read_map(fds[i], &maps[i]);
	if (!err)
		err = read_program(fds[SHAPE_DISPATCH], &programs[SHAPE_DISPATCH]);
	return err ? err : read_program(fds[SHAPE_PROBE], &programs[SHAPE_PROBE]);
}

/*
 * A descriptor does not tell whether it is of a map, a program or a link, and
 * what the kernel says of one can be read as what it says of another. Type and
 * name, which stand at another place in each, are together proof enough.
 */
static int check_map(int fd, const struct bpf_map_info *expected)
{
	struct bpf_map_info info;

	if (read_map(fd, &info) < 0 || info.type != expected->type || strcmp(info.name, expected->name) != 0)
		return -EBADMSG;
	return info.key_size == expected->key_size && info.value_size == expected->value_size &&
			       info.max_entries == expected->max_entries &&
			       info.map_flags == expected->map_flags ?
		       0 :
		       -EPROTO;
}

static int check_program(int fd, const struct bpf_prog_info *expected)
{
	struct bpf_prog_info info;

	return read_program(fd, &info) == 0 && info.type == expected->type &&
			       strcmp(info.name, expected->name) == 0 ?
		       0 :
		       -EBADMSG;
}

static int check_link(int fd)
{
	struct bpf_link_info info;

	return read_link(fd, &info) == 0 && info.type == BPF_LINK_TYPE_NETNS &&
			       info.netns.attach_type == BPF_SK_LOOKUP ?
		       0 :
		       -EBADMSG;
}

static int check(enum shape which, int fd)
{
	if (which < SHAPE_MAPS)
		return check_map(fd, &maps[which]);
	return which == SHAPE_LINK ? check_link(fd) : check_program(fd, &programs[which]);
}

/* What is there can be at fault, or the means of this process. */
static int get(const char *file)
{
	struct stat st;
	int fd;

	if (lstat(file, &st) < 0 || !S_ISREG(st.st_mode))
		return -EBADMSG;
	fd = bpf_obj_get(file);
	return fd < 0 ? -errno : fd;
}

int shape_open(enum shape which, const char *directory)
{
	char file[PINS_FILE];
	int fd, err;

	snprintf(file, sizeof(file), "%s/%s", directory, shape_pins[which]);
	fd = get(file);
	err = fd < 0 ? fd : check(which, fd);
	if (err == -EBADMSG)
		log_error("%s: %s", file, fd < 0 ? "is not there" : "is not what sklhelper pins there");
	else if (err == -EPROTO)
		log_error("%s: has another size than this version's", file);
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

static bool is_known(const char *name)
{
	if (strncmp(name, SHAPE_NEXT, strlen(SHAPE_NEXT)) == 0)
		name += strlen(SHAPE_NEXT);
	for (size_t i = 0; i < SHAPE_OBJECTS; i++) {
		if (strcmp(name, shape_pins[i]) == 0)
			return true;
	}
	return strcmp(name, SHAPE_REPLY) == 0;
}

bool shape_has_no_other(const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;
	bool none = dir != NULL;

	while (dir && (entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    is_known(entry->d_name))
			continue;
		log_error("%s/%s: sklhelper pins nothing of this name", directory, entry->d_name);
		none = false;
	}
	if (dir)
		closedir(dir);
	return none;
}

bool shape_has_sockets(const char *directory)
{
	char file[PINS_FILE];
	struct bpf_map_info info;
	bool any = true;
	int fd;

	snprintf(file, sizeof(file), "%s/%s", directory, shape_pins[SHAPE_SOCKETS]);
	fd = get(file);
	if (fd < 0)
		return true;
	if (read_map(fd, &info) == 0 && info.type == BPF_MAP_TYPE_SOCKMAP && info.value_size == sizeof(uint64_t)) {
		any = false;
		for (uint32_t slot = 0; slot < info.max_entries && !any; slot++) {
			uint64_t cookie;

			any = bpf_map_lookup_elem(fd, &slot, &cookie) == 0 || errno != ENOENT;
		}
	}
	close(fd);
	return any;
}

static bool is_our_program(int fd)
{
	struct bpf_prog_info info;

	return read_program(fd, &info) == 0 && strncmp(info.name, "skl_", 4) == 0;
}

static bool is_our_link(int fd)
{
	struct bpf_link_info info;
	int program;
	bool ours;

	if (check_link(fd) < 0 || read_link(fd, &info) < 0)
		return false;
	program = bpf_prog_get_fd_by_id(info.prog_id);
	ours = program >= 0 && is_our_program(program);
	if (program >= 0)
		close(program);
	return ours;
}

bool shape_is_ours(const char *file)
{
	struct bpf_map_info map;
	int fd = get(file);
	bool ours;

	if (fd < 0)
		return false;
	ours = is_our_link(fd);
	for (size_t i = 0; i < SHAPE_MAPS && !ours && read_map(fd, &map) == 0; i++)
		ours = map.type == maps[i].type && strcmp(map.name, maps[i].name) == 0;
	if (!ours)
		ours = is_our_program(fd);
	close(fd);
	return ours;
}

int shape_read_tag(int program, uint8_t tag[SHAPE_TAG])
{
	struct bpf_prog_info info;
	int err = read_program(program, &info);

	if (!err)
		memcpy(tag, info.tag, SHAPE_TAG);
	return err;
}

bool shape_is_other_program(enum shape which, int program)
{
	uint8_t tag[SHAPE_TAG];

	return shape_read_tag(program, tag) == 0 && memcmp(tag, programs[which].tag, SHAPE_TAG) != 0;
}

uint32_t shape_program_id(int program)
{
	struct bpf_prog_info info;

	return read_program(program, &info) < 0 ? 0 : info.id;
}

static bool uses(const uint32_t *ids, uint32_t n, int map)
{
	struct bpf_map_info info;

	if (read_map(map, &info) < 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (ids[i] == info.id)
			return true;
	}
	return false;
}

bool shape_fits(const int fds[SHAPE_OBJECTS])
{
	uint32_t ids[64], most = sizeof(ids) / sizeof(ids[0]), length = sizeof(struct bpf_prog_info);
	struct bpf_prog_info program = {.map_ids = (uintptr_t)ids, .nr_map_ids = most};
	struct bpf_link_info link;

	if (bpf_obj_get_info_by_fd(fds[SHAPE_DISPATCH], &program, &length) < 0 ||
	    read_link(fds[SHAPE_LINK], &link) < 0 || link.prog_id != program.id)
		return false;
	if (program.nr_map_ids > most)
		return false;
	for (size_t i = 0; i < SHAPE_MAPS; i++) {
		/* the records are for the helper alone */
		if (i != SHAPE_MEMBERS && i != SHAPE_BINDINGS && !uses(ids, program.nr_map_ids, fds[i]))
			return false;
	}
	return true;
}
