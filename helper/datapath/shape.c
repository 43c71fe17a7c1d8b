// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/shape_parts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/pins.h"
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

int shape_read_map(int fd, struct bpf_map_info *info)
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

int shape_read_link(int fd, struct bpf_link_info *info)
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
		err = shape_read_map(fds[i], &maps[i]);
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

	err = shape_read_map(fd, &info);
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
	int err = shape_read_link(fd, &info);

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

static bool is_our_link(int fd)
{
	struct bpf_link_info info;
	int program;
	bool ours;

	if (check_link(fd) < 0 || shape_read_link(fd, &info) < 0)
		return false;
	program = bpf_prog_get_fd_by_id(info.prog_id);
	ours = program >= 0 && is_program(program, known[LOAD_DISPATCH].name);
	if (program >= 0)
		close(program);
	return ours;
}

bool shape_is(int which, int fd)
{
	struct bpf_map_info map;

	if (which == SHAPE_OBJECTS)
		return is_program(fd, "skl_reply");
	if (which == SHAPE_LINK)
		return is_our_link(fd);
	if (which < LOAD_MAPS)
		return shape_read_map(fd, &map) == 0 && is_map(which, &map);
	return is_program(fd, known[which].name);
}

int shape_get(const char *file)
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
	fd = shape_get(file);
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
		err = shape_read_link(fds[SHAPE_LINK], &link);
	if (!err && (link.prog_id != program.id || program.nr_map_ids > most))
		err = -EBADMSG;
	for (size_t i = 0; i < LOAD_MAPS && !err; i++) {
		/* the records are for the helper alone */
		if (i == LOAD_MEMBERS || i == LOAD_BINDINGS)
			continue;
		err = shape_read_map(fds[i], &map);
		if (!err && !has(ids, program.nr_map_ids, map.id))
			err = -EBADMSG;
	}
	return err;
}
