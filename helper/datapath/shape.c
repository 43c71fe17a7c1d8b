// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/shape.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/pins.h"
#include "helper/fault.h"
#include "helper/log.h"

const char *const shape_pins[SHAPE_OBJECTS] = {
	[LOAD_TABLES] = "tables",     [LOAD_SOCKETS] = "sockets", [LOAD_TRIE] = "trie",
	[LOAD_LOOKUPS] = "lookups",   [LOAD_EVENTS] = "events",	  [LOAD_MEMBERS] = "members",
	[LOAD_BINDINGS] = "bindings", [LOAD_FLOWS] = "flows",	  [LOAD_DISPATCH] = "dispatch",
	[LOAD_PROBE] = "probe",	      [SHAPE_LINK] = "link",
};

/* As the kernel has them; the link has no name. */
static const struct {
	const char *name;
	uint32_t type;
} known[SHAPE_OBJECTS] = {
	[LOAD_TABLES] = {"dispatch.bss", BPF_MAP_TYPE_ARRAY},
	[LOAD_SOCKETS] = {"sockets", BPF_MAP_TYPE_SOCKMAP},
	[LOAD_TRIE] = {"trie", BPF_MAP_TYPE_LPM_TRIE},
	[LOAD_LOOKUPS] = {"lookups", BPF_MAP_TYPE_PERCPU_ARRAY},
	[LOAD_EVENTS] = {"events", BPF_MAP_TYPE_HASH},
	[LOAD_MEMBERS] = {"member_records", BPF_MAP_TYPE_HASH},
	[LOAD_BINDINGS] = {"binding_records", BPF_MAP_TYPE_HASH},
	[LOAD_FLOWS] = {"flows", BPF_MAP_TYPE_ARRAY_OF_MAPS},
	[LOAD_DISPATCH] = {"skl_dispatch", BPF_PROG_TYPE_SK_LOOKUP},
	[LOAD_PROBE] = {"skl_probe", BPF_PROG_TYPE_SK_LOOKUP},
};

/* What this version makes. */
static struct bpf_map_info maps[LOAD_MAPS];
static uint8_t tags[SHAPE_OBJECTS][SHAPE_TAG];

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

int shape_read_tag(int program, uint8_t tag[SHAPE_TAG])
{
	struct bpf_prog_info info;
	int err = read_program(program, &info);

	if (!err)
		memcpy(tag, info.tag, SHAPE_TAG);
	return err;
}

int shape_learn(const int fds[LOAD_OBJECTS])
{
	int err = 0;

	for (size_t i = 0; i < LOAD_MAPS && !err; i++)
		err = read_map(fds[i], &maps[i]);
	if (!err)
		err = shape_read_tag(fds[LOAD_DISPATCH], tags[LOAD_DISPATCH]);
	return err ? err : shape_read_tag(fds[LOAD_PROBE], tags[LOAD_PROBE]);
}

/*
 * A descriptor does not tell whether it is of a map, a program or a link, and
 * what the kernel says of one can be read as what it says of another. Type and
 * name, which stand at another place in each, are together proof enough.
 */
static bool is_map(int which, const struct bpf_map_info *info)
{
	return info->type == known[which].type && strcmp(info->name, known[which].name) == 0;
}

/* What it is told is something else, or nothing of BPF at all; or it could not be asked. */
static int wrong(int err)
{
	return err && err != -EINVAL ? err : -EBADMSG;
}

static int check_map(int which, int fd)
{
	const struct bpf_map_info *expected = &maps[which];
	struct bpf_map_info info;
	int err;

	err = read_map(fd, &info);
	if (err || !is_map(which, &info))
		return wrong(err);
	return info.key_size == expected->key_size && info.value_size == expected->value_size &&
			       info.max_entries == expected->max_entries &&
			       info.map_flags == expected->map_flags
		       ? 0
		       : -EPROTO;
}

static int check_program(int fd, const char *name)
{
	struct bpf_prog_info info;
	int err = read_program(fd, &info);

	if (err || (info.type != BPF_PROG_TYPE_SK_LOOKUP && info.type != BPF_PROG_TYPE_SCHED_CLS) ||
	    strcmp(info.name, name) != 0)
		return wrong(err);
	return 0;
}

static bool is_program(int fd, const char *name)
{
	return check_program(fd, name) == 0;
}

static int check_link(int fd)
{
	struct bpf_link_info info;
	int err = read_link(fd, &info);

	if (err || info.type != BPF_LINK_TYPE_NETNS || info.netns.attach_type != BPF_SK_LOOKUP)
		return wrong(err);
	return 0;
}

static int check(int which, int fd)
{
	if (which == SHAPE_LINK)
		return check_link(fd);
	if (which == LOAD_DISPATCH || which == LOAD_PROBE)
		return check_program(fd, known[which].name);
	return check_map(which, fd);
}

/* Links are not followed to here: shape_check_names() has seen to that. */
static int get(const char *file)
{
	int fd = bpf_obj_get(file);

	if (fd >= 0)
		return fd;
	/* what is there can be at fault, or the means of this process */
	return errno == ENOENT || errno == ELOOP || errno == ENOTDIR || errno == EINVAL ? -EBADMSG : -errno;
}

int shape_open(int which, const char *directory)
{
	char file[PINS_FILE];
	int fd, err;

	snprintf(file, sizeof(file), "%s/%s", directory, shape_pins[which]);
	fd = get(file);
	err = fd < 0 ? fd : check(which, fd);
	if (err == -EBADMSG)
		log_error("%s: %s", pins_shown(file),
			  fd < 0 ? "is not there" : "is not what sklhelper pins there");
	else if (err == -EPROTO)
		log_error("%s: has another size than this version's", pins_shown(file));
	if (err && fd >= 0)
		close(fd);
	return err ? err : fd;
}

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
	fd = get(file);
	if (fd < 0)
		return true;
	if (read_map(fd, &info) == 0 && info.type == BPF_MAP_TYPE_SOCKMAP &&
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

static bool is_our_link(int fd)
{
	struct bpf_link_info info;
	int program;
	bool ours;

	if (check_link(fd) < 0 || read_link(fd, &info) < 0)
		return false;
	program = bpf_prog_get_fd_by_id(info.prog_id);
	ours = program >= 0 && is_program(program, known[LOAD_DISPATCH].name);
	if (program >= 0)
		close(program);
	return ours;
}

bool shape_is_ours(const char *directory, const char *name)
{
	int which = find(name);
	struct bpf_map_info map;
	char file[PINS_FILE];
	bool ours = false;
	int fd;

	if (which == SHAPE_OBJECTS && !is_reply(name))
		return false;
	snprintf(file, sizeof(file), "%s/%s", directory, name);
	fd = get(file);
	if (fd < 0)
		return false;
	if (which == SHAPE_OBJECTS)
		ours = is_program(fd, "skl_reply");
	else if (which == SHAPE_LINK)
		ours = is_our_link(fd);
	else if (which < LOAD_MAPS)
		ours = read_map(fd, &map) == 0 && is_map(which, &map);
	else
		ours = is_program(fd, known[which].name);
	close(fd);
	return ours;
}

int shape_remove(const char *directory, const char *name)
{
	char file[PINS_FILE];
	int link;

	snprintf(file, sizeof(file), "%s/%s", directory, name);
	if (find(name) == SHAPE_LINK) {
		link = get(file);
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
	fd = get(file);
	if (fd < 0)
		return 0;
	if (read_link(fd, &info) < 0 || info.type != BPF_LINK_TYPE_NETNS)
		info.netns.netns_ino = 0;
	close(fd);
	return info.netns.netns_ino;
}

bool shape_is_other_program(int which, int program)
{
	uint8_t tag[SHAPE_TAG];

	return shape_read_tag(program, tag) == 0 && memcmp(tag, tags[which], SHAPE_TAG) != 0;
}

uint32_t shape_program_id(int program)
{
	struct bpf_prog_info info;

	return read_program(program, &info) < 0 ? 0 : info.id;
}

static bool has(const uint32_t *ids, uint32_t n, uint32_t id)
{
	for (uint32_t i = 0; i < n; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

int shape_check_fit(const int fds[SHAPE_OBJECTS])
{
	uint32_t ids[64], most = sizeof(ids) / sizeof(ids[0]), length = sizeof(struct bpf_prog_info);
	struct bpf_prog_info program = {.map_ids = (uintptr_t)ids, .nr_map_ids = most};
	struct bpf_link_info link;
	struct bpf_map_info map;
	int err = bpf_obj_get_info_by_fd(fds[LOAD_DISPATCH], &program, &length) < 0 ? -errno : 0;

	if (!err)
		err = read_link(fds[SHAPE_LINK], &link);
	if (!err && (link.prog_id != program.id || program.nr_map_ids > most))
		err = -EBADMSG;
	for (size_t i = 0; i < LOAD_MAPS && !err; i++) {
		/* the records are for the helper alone */
		if (i == LOAD_MEMBERS || i == LOAD_BINDINGS)
			continue;
		err = read_map(fds[i], &map);
		if (!err && !has(ids, program.nr_map_ids, map.id))
			err = -EBADMSG;
	}
	return err;
}
