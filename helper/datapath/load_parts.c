// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/load_parts.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/log.h"

static int to_debug_log(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[1024];

	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	log_debug("%s", line);
	return 0;
}

libbpf_print_fn_t load_quietly(void)
{
	return libbpf_set_print(to_debug_log);
}

/* The verifier refuses the whole program for a field that it does not know, after it has looked at much of
 * it: a small one is enough. */
bool load_tells_ifindex(void)
{
	static const struct bpf_insn read_field[] = {
		{.code = BPF_LDX | BPF_MEM | BPF_W,
		 .dst_reg = BPF_REG_0,
		 .src_reg = BPF_REG_1,
		 .off = offsetof(struct bpf_sk_lookup, ingress_ifindex)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = SK_PASS},
		{.code = BPF_JMP | BPF_EXIT},
	};
	static enum { NOT_ASKED, YES, NO } told;
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_SK_LOOKUP);
	int fd;

	if (told != NOT_ASKED)
		return told == YES;
	fd = bpf_prog_load(BPF_PROG_TYPE_SK_LOOKUP, "skl_ifindex", "GPL", read_field,
			   sizeof(read_field) / sizeof(read_field[0]), &options);
	if (fd >= 0) {
		told = YES;
		close(fd);
	} else if (errno == EACCES) { /* the verifier's answer */
		told = NO;
	}
	return fd >= 0;
}

/* Not .rodata: that is what a program was loaded with, and each has its own. */
static struct bpf_map *find(const struct bpf_object *object, enum load_object which)
{
	static const char *const names[LOAD_MAPS] = {
		[LOAD_TABLES] = ".bss",
		[LOAD_SOCKETS] = "sockets",
		[LOAD_TRIE] = "trie",
		[LOAD_LOOKUPS] = "lookups",
		[LOAD_EVENTS] = "events",
		[LOAD_MEMBERS] = "member_records",
		[LOAD_BINDINGS] = "binding_records",
		[LOAD_FLOWS] = "flows",
	};

	return bpf_object__find_map_by_name(object, names[which]);
}

int load_reuse(const struct bpf_object *object, const int maps[LOAD_MAPS])
{
	int err = 0;

	for (int i = 0; i < LOAD_MAPS && !err; i++) {
		struct bpf_map *map = find(object, i);

		err = map ? bpf_map__reuse_fd(map, maps[i]) : -ENOENT;
	}
	return err;
}

void load_maps(const struct bpf_object *object, int maps[LOAD_MAPS])
{
	for (int i = 0; i < LOAD_MAPS; i++)
		maps[i] = bpf_map__fd(find(object, i));
}

int load_copy(const int *from, int *to, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		to[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 0);
		if (to[i] < 0) {
			int err = -errno;

			while (i-- > 0)
				close(to[i]);
			return err;
		}
	}
	return 0;
}
