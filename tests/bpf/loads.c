// SPDX-License-Identifier: BSD-2-Clause
/* Programs that are loaded over the maps of others: they use these, and a try that fails makes no noise and
 * leaves nothing. */
#include <bpf/bpf.h>
#include <dirent.h>
#include <stdint.h>

#include "bpf/maps.h"
#include "helper/datapath/load_parts.h"
#include "helper/log.h"
#include "tests/bpf/world.h"

#define MAPS_MAX 32

static int saved, said; /* stderr, and what stands for it meanwhile */

static void listen_to_stderr(void)
{
	FILE *file = tmpfile();

	saved = dup(STDERR_FILENO);
	said = file ? dup(fileno(file)) : -1;
	if (saved < 0 || said < 0 || dup2(said, STDERR_FILENO) < 0)
		die("stderr");
	fclose(file);
}

/* Stderr is itself again. Returns how many bytes went there. */
static long heard(void)
{
	long size = (long)lseek(said, 0, SEEK_END);

	if (size < 0 || dup2(saved, STDERR_FILENO) < 0)
		die("stderr");
	close(saved);
	close(said);
	return size;
}

static size_t count_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	if (!d)
		die("/proc/self/fd");
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static struct bpf_map_info map_info(int fd)
{
	struct bpf_map_info info = {0};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		die("what map is it");
	return info;
}

/* The numbers of the maps that a program uses. */
static size_t maps_of(int program, uint32_t ids[MAPS_MAX])
{
	struct bpf_prog_info info = {.nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)ids};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		die("what program is it");
	return info.nr_map_ids;
}

static bool is_among(uint32_t id, const uint32_t *ids, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

static void is_of_kind(int fd, const char *name, uint32_t type)
{
	struct bpf_map_info info = map_info(fd);

	if (!ok(info.type == type && strcmp(info.name, name) == 0, "%s is in its place among the maps", name))
		printf("# there is %s, of type %u\n", info.name, info.type);
}

static void each_in_its_place(const int maps[LOAD_MAPS])
{
	struct bpf_map_info tables = map_info(maps[LOAD_TABLES]);

	ok(strcmp(tables.name, "dispatch.bss") == 0 && tables.value_size == sizeof(struct skl_tables),
	   "the tables are all there is in .bss");
	is_of_kind(maps[LOAD_SOCKETS], "sockets", BPF_MAP_TYPE_SOCKMAP);
	is_of_kind(maps[LOAD_TRIE], "trie", BPF_MAP_TYPE_LPM_TRIE);
	is_of_kind(maps[LOAD_LOOKUPS], "lookups", BPF_MAP_TYPE_PERCPU_ARRAY);
	is_of_kind(maps[LOAD_EVENTS], "events", BPF_MAP_TYPE_HASH);
	is_of_kind(maps[LOAD_MEMBERS], "member_records", BPF_MAP_TYPE_HASH);
	is_of_kind(maps[LOAD_BINDINGS], "binding_records", BPF_MAP_TYPE_HASH);
	is_of_kind(maps[LOAD_FLOWS], "flows", BPF_MAP_TYPE_ARRAY_OF_MAPS);
}

/*
 * All that `program` shares with `first` is in `maps`, and it has `own` maps besides: one is .rodata, which
 * libbpf binds to each program, whether it uses it or not.
 */
static void shares(const char *name, int program, int first, const int maps[LOAD_MAPS], size_t own)
{
	uint32_t its[MAPS_MAX], firsts[MAPS_MAX];
	size_t n = maps_of(program, its), n_firsts = maps_of(first, firsts), used = 0, others = 0;
	bool same = true;

	for (int i = 0; i < LOAD_MAPS; i++) {
		uint32_t id = map_info(maps[i]).id;

		used += is_among(id, its, n);
		same = same && is_among(id, its, n) == is_among(id, firsts, n_firsts);
	}
	for (size_t i = 0; i < n; i++)
		others += !is_among(its[i], firsts, n_firsts);
	if (!ok(same && used > 0 && others == own && n == used + own,
		"%s uses the maps of the first program, and %zu of its own", name, own))
		printf("# %zu maps, %zu of those that there were, %zu that the first has not\n", n, used,
		       others);
}

static void over_its_maps(const int fds[LOAD_OBJECTS])
{
	int made[TRACED_OBJECTS], dispatch, probe;
	int err = load_over(fds, true, &dispatch, &probe);

	if (err) /* before Linux 5.17 */
		err = load_over(fds, false, &dispatch, &probe);
	if (ok(err == 0, "the programs are loaded over maps that there are")) {
		shares("another dispatch program", dispatch, fds[LOAD_DISPATCH], fds, 1);
		shares("another probe program", probe, fds[LOAD_PROBE], fds, 1);
		close(dispatch);
		close(probe);
	}
	err = load_traced(fds, made);
	if (ok(err == 0, "and the program for watchers")) {
		shares("it", made[TRACED_PROGRAM], fds[LOAD_DISPATCH], fds, 3);
		close_all(made, TRACED_OBJECTS);
	}
}

static int try_over(const int maps[LOAD_MAPS])
{
	int dispatch, probe;

	return load_over(maps, true, &dispatch, &probe);
}

static int try_traced(const int maps[LOAD_MAPS])
{
	int made[TRACED_OBJECTS];

	return load_traced(maps, made);
}

static int try_reply(const int maps[LOAD_MAPS])
{
	return load_reply(maps[LOAD_SOCKETS], maps[LOAD_FLOWS]);
}

static int count_for_libbpf;

static int count_lines(enum libbpf_print_level level, const char *format, va_list args)
{
	count_for_libbpf++;
	return 0;
}

/* `load` cannot work with these maps. */
static void fails_quietly(const char *name, int (*load)(const int maps[LOAD_MAPS]), const int maps[LOAD_MAPS])
{
	size_t open_before = count_open();
	libbpf_print_fn_t before = libbpf_set_print(count_lines);
	int err;
	long bytes;

	count_for_libbpf = 0;
	listen_to_stderr();
	err = load(maps);
	bytes = heard();
	ok(err < 0, "%s: fails where a map is another one", name);
	ok(bytes == 0, "%s: libbpf's complaints about that are not in the log", name);
	ok(libbpf_set_print(before) == count_lines && count_for_libbpf == 0,
	   "%s: they go where they went before when it is over, and not earlier", name);
	ok(count_open() == open_before, "%s: no descriptor is left", name);
	log_set_level("debug");
	listen_to_stderr();
	load(maps);
	bytes = heard();
	log_set_level("info");
	ok(bytes > 0, "%s: who looks for faults finds them in the log", name);
}

static void copies_all_or_none(int fd)
{
	const int from[] = {fd, fd, -1};
	size_t before = count_open();
	int to[3];

	ok(load_copy(from, to, 3) == -EBADF && count_open() == before, "of copies all are made, or none is");
}

int main(void)
{
	int fds[LOAD_OBJECTS], others[LOAD_MAPS];

	enter_world();
	errno = -load_dispatch(fds);
	if (errno)
		die("the programs");
	each_in_its_place(fds);
	over_its_maps(fds);
	memcpy(others, fds, sizeof(others));
	others[LOAD_SOCKETS] = fds[LOAD_TRIE];
	fails_quietly("load_over()", try_over, others);
	fails_quietly("load_traced()", try_traced, others);
	fails_quietly("load_reply()", try_reply, others);
	copies_all_or_none(fds[LOAD_PROBE]);
	close_all(fds, LOAD_OBJECTS);
	return finish();
}
