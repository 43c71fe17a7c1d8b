// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/elf.h"

#include <elf.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX 256 /* far more than any linker makes */
#define NOTES_MAX   4096

#define NOTE_GO_BUILD_ID 4 /* type of the note that Go's linker puts into each program, owner "Go" */

/* One program header, whatever the class of the file. */
struct segment {
	uint32_t type;
	uint64_t offset;
	uint64_t size;
};

static int read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	ssize_t n;

	if (offset > INT64_MAX - size)
		return -ENOEXEC;
	n = pread(fd, buffer, size, (off_t)offset);
	if (n < 0)
		return -errno;
	return (size_t)n == size ? 0 : -ENOEXEC;
}

int elf_read_kind(int fd, struct elf_kind *kind)
{
	/* both classes have e_ident, e_type and e_machine at the same places */
	unsigned char head[offsetof(Elf32_Ehdr, e_version)];
	const unsigned char *machine = head + offsetof(Elf32_Ehdr, e_machine);
	int err = read_at(fd, head, sizeof(head), 0);

	if (err)
		return err;
	if (memcmp(head, ELFMAG, SELFMAG) != 0)
		return -ENOEXEC;
	kind->class = head[EI_CLASS];
	kind->order = head[EI_DATA];
	kind->machine =
		kind->order == ELFDATA2MSB ? machine[0] << 8 | machine[1] : machine[1] << 8 | machine[0];
	return 0;
}

const char *elf_describe(const struct elf_kind *kind)
{
	static char text[32];

	switch (kind->machine) {
	case EM_X86_64:
		return kind->class == ELFCLASS32 ? "x32" : "64-bit x86";
	case EM_386:
		return "32-bit x86";
	case EM_AARCH64:
		return "64-bit Arm";
	case EM_ARM:
		return "32-bit Arm";
	default:
		snprintf(text, sizeof(text), "ELF machine %u", kind->machine);
		return text;
	}
}

/* Where the program headers are. Returns how many, or -errno. */
static int find_segments(int fd, unsigned int class, uint64_t *offset)
{
	Elf64_Ehdr h64;
	Elf32_Ehdr h32;
	unsigned int n, size, expected;
	int err;

	if (class == ELFCLASS64) {
		err = read_at(fd, &h64, sizeof(h64), 0);
		*offset = h64.e_phoff;
		n = h64.e_phnum;
		size = h64.e_phentsize;
		expected = sizeof(Elf64_Phdr);
	} else {
		err = read_at(fd, &h32, sizeof(h32), 0);
		*offset = h32.e_phoff;
		n = h32.e_phnum;
		size = h32.e_phentsize;
		expected = sizeof(Elf32_Phdr);
	}
	if (err)
		return err;
	return size == expected && n <= HEADERS_MAX ? (int)n : -ENOEXEC;
}

static int read_segment(int fd, unsigned int class, uint64_t table, unsigned int i, struct segment *s)
{
	Elf64_Phdr p64;
	Elf32_Phdr p32;
	int err;

	if (class == ELFCLASS64) {
		err = read_at(fd, &p64, sizeof(p64), table + i * sizeof(p64));
		if (!err)
			*s = (struct segment){p64.p_type, p64.p_offset, p64.p_filesz};
	} else {
		err = read_at(fd, &p32, sizeof(p32), table + i * sizeof(p32));
		if (!err)
			*s = (struct segment){p32.p_type, p32.p_offset, p32.p_filesz};
	}
	return err;
}

static int read_interpreter(int fd, const struct segment *s, char path[PATH_MAX])
{
	int err;

	if (s->size < 2 || s->size > PATH_MAX)
		return -ENOEXEC;
	err = read_at(fd, path, s->size, s->offset);
	if (err)
		return err;
	return path[0] && path[s->size - 1] == '\0' ? 0 : -ENOEXEC;
}

/* Is Go's note among the first of these? Both classes have the same notes, padded to 4 bytes. */
static bool has_go_note(int fd, const struct segment *s)
{
	unsigned char notes[NOTES_MAX];
	size_t size = s->size < sizeof(notes) ? s->size : sizeof(notes);
	size_t at = 0;

	if (read_at(fd, notes, size, s->offset) != 0)
		return false;
	while (size - at >= sizeof(Elf32_Nhdr)) {
		Elf32_Nhdr note;
		uint64_t length;

		memcpy(&note, notes + at, sizeof(note));
		at += sizeof(note);
		if (note.n_type == NOTE_GO_BUILD_ID && note.n_namesz == 4 && size - at >= 4 &&
		    memcmp(notes + at, "Go\0", 4) == 0)
			return true;
		length = (((uint64_t)note.n_namesz + 3) & ~3ull) + (((uint64_t)note.n_descsz + 3) & ~3ull);
		if (length > size - at)
			return false;
		at += length;
	}
	return false;
}

int elf_read_program(int fd, struct elf_program *program)
{
	struct elf_kind kind;
	uint64_t table;
	int n, err = elf_read_kind(fd, &kind);

	program->go = false;
	program->interpreter[0] = '\0';
	if (err)
		return err;
	n = find_segments(fd, kind.class, &table);
	for (int i = 0; i < n; i++) {
		struct segment s;

		err = read_segment(fd, kind.class, table, (unsigned int)i, &s);
		if (!err && s.type == PT_INTERP)
			err = read_interpreter(fd, &s, program->interpreter);
		if (err)
			return err;
		if (s.type == PT_NOTE && has_go_note(fd, &s))
			program->go = true;
	}
	return n < 0 ? n : 0;
}
