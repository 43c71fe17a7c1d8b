// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "helper/cli/elf.h"
#include "helper/cli/place.h"
#include "helper/cli/script.h"

static int check_file(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EACCES;
	return eaccess(path, X_OK) < 0 ? -errno : 0;
}

int reach_find(const char *name, char path[PATH_MAX])
{
	const char *directories = getenv("PATH");
	int result = -ENOENT;

	if (strchr(name, '/') || *name == '\0') {
		if (snprintf(path, PATH_MAX, "%s", name) >= PATH_MAX)
			return -ENAMETOOLONG;
		return check_file(path);
	}
	if (!directories)
		directories = "/bin:/usr/bin"; /* as execvp() has it */
	for (;;) {
		size_t length = strcspn(directories, ":");
		int n = snprintf(path, PATH_MAX, "%.*s%s%s", (int)length, directories, length ? "/" : "",
				 name);
		int err = n < PATH_MAX ? check_file(path) : -ENAMETOOLONG;

		if (err == 0)
			return 0;
		if (err == -EACCES) /* remembered, but a later directory may have one that can be run */
			result = err;
		if (directories[length] == '\0')
			return result;
		directories += length + 1;
	}
}

const char *reach_why(const char *name, int err)
{
	return err == -ENOENT && !strchr(name, '/') ? "not found in PATH" : strerror(-err);
}

/* Will the program run with more rights than it was started with? Then its loader ignores the environment. */
static const char *gains_rights(int fd)
{
	struct statvfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || fstatvfs(fd, &fs) < 0)
		return NULL;
	if ((fs.f_flag & ST_NOSUID) || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return NULL;
	if ((st.st_mode & S_ISUID) && st.st_uid != getuid())
		return "it is setuid";
	if ((st.st_mode & (S_ISGID | S_IXGRP)) == (S_ISGID | S_IXGRP) && st.st_gid != getgid())
		return "it is setgid";
	if (getuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		return "it has file capabilities";
	return NULL;
}

static bool same_kind(const struct elf_kind *a, const struct elf_kind *b)
{
	return a->class == b->class && a->order == b->order && a->machine == b->machine;
}

/* Finds the shim's file that is of this kind. */
static bool find_shim(const char *shim, const struct elf_kind *wanted, char file[PATH_MAX])
{
	for (unsigned int n = 0; place_expand(shim, n, file); n++) {
		struct elf_kind kind;
		int fd = open(file, O_RDONLY | O_CLOEXEC);
		bool found = fd >= 0 && elf_read_kind(fd, &kind) == 0 && same_kind(&kind, wanted);

		if (fd >= 0)
			close(fd);
		if (found)
			return true;
	}
	return false;
}

static enum reach check_elf(int fd, const char *shim, char preload[PATH_MAX], char *why, size_t size)
{
	struct elf_program program;
	char file[PATH_MAX];
	struct elf_kind kind;
	const char *gain;

	if (elf_read_kind(fd, &kind) != 0)
		return REACH_PRELOAD; /* of a kind that others know how to run */
	gain = gains_rights(fd);
	if (gain) {
		snprintf(why, size, "%s, and such a program does not load the shim", gain);
		return REACH_RIGHTS;
	}
	if (!find_shim(shim, &kind, file)) {
		snprintf(why, size, "it is a %s program, and there is no such shim at %s",
			 elf_describe(&kind), shim);
		return REACH_SUPERVISE;
	}
	if (elf_read_program(fd, &program) != 0)
		return REACH_PRELOAD; /* execve() will say what is wrong with it */
	if (program.interpreter[0] == '\0') {
		snprintf(why, size, "it is statically linked, so it cannot load the shim");
		return REACH_SUPERVISE;
	}
	if (program.go) {
		snprintf(why, size, "it is written in Go and calls the kernel past the shim");
		return REACH_SUPERVISE;
	}
	/* musl's loader does not know $LIB */
	if (strstr(program.interpreter, "/ld-musl-"))
		snprintf(preload, PATH_MAX, "%s", file);
	return REACH_PRELOAD;
}

enum reach reach_check(const char *path, const char *shim, char preload[PATH_MAX], char *why, size_t size)
{
	char final[PATH_MAX];
	enum reach how;
	int fd;

	snprintf(preload, PATH_MAX, "%s", shim);
	fd = script_open(path, final);
	if (fd < 0)
		return REACH_PRELOAD; /* it may be executable and yet not readable; nothing is known then */
	how = check_elf(fd, shim, preload, why, size);
	close(fd);
	return how;
}

const char *reach_gains(const char *path)
{
	char final[PATH_MAX];
	const char *gain;
	int fd = script_open(path, final);

	if (fd < 0)
		return NULL; /* as above */
	gain = gains_rights(fd);
	close(fd);
	return gain;
}

int reach_loader(const char *path, char final[PATH_MAX], char loader[PATH_MAX])
{
	struct elf_program program;
	int fd = script_open(path, final), err;

	if (fd < 0)
		return fd;
	err = elf_read_program(fd, &program);
	close(fd);
	if (err)
		return err;
	snprintf(loader, PATH_MAX, "%s", program.interpreter);
	return 0;
}
