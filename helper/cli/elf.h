/* SPDX-License-Identifier: BSD-2-Clause */
/* The little that must be known of a program file before it is run. The file is untrusted; all reads are
 * bounded. */
#ifndef SKL_CLI_ELF_H
#define SKL_CLI_ELF_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

/* What a library and the program that loads it must have in common. */
struct elf_kind {
	uint8_t class; /* ELFCLASS32 or ELFCLASS64 */
	uint8_t order; /* ELFDATA2LSB or ELFDATA2MSB */
	uint16_t machine;
};

struct elf_program {
	bool go;		    /* written in Go: makes system calls by itself */
	char interpreter[PATH_MAX]; /* the dynamic loader; "" where statically linked */
};

/* Returns 0, -ENOEXEC where fd is no ELF file, or the errno of pread(). */
int elf_read_kind(int fd, struct elf_kind *kind);

/* "64-bit x86-64", for example; for messages. */
const char *elf_describe(const struct elf_kind *kind);

/* Reads a program of the byte order of this machine. Returns 0, -ENOEXEC where it is malformed, or an errno.
 */
int elf_read_program(int fd, struct elf_program *program);

#endif
