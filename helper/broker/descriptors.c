// SPDX-License-Identifier: BSD-2-Clause
/*
 * The descriptors of other users' processes. Since Linux 5.14 /proc/PID/fdinfo
 * tells inodes, to who may look at the process (CAP_SYS_PTRACE). Before, there
 * are only the links in /proc/PID/fd, which take CAP_DAC_READ_SEARCH: the right
 * to read everything.
 */
#include "helper/broker/descriptors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The mount that all sockets are on, which tells them from files with the same inode number; -1: is not told.
 */
static long sockets = -2;

/* The number after the name, in one of the first lines; -1 where it is not. */
static long long value(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoll(line + strlen(name), NULL, 10) : -1;
}

static bool read_head(int directory, const char *name, char *out, size_t size)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);

	if (fd >= 0)
		close(fd);
	if (n < 0)
		return false;
	out[n] = '\0';
	return true;
}

bool descriptors_in_fdinfo(void)
{
	char path[64], text[256];
	int one;

	if (sockets != -2)
		return sockets >= 0;
	sockets = -1;
	one = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", one);
	if (one >= 0 && read_head(AT_FDCWD, path, text, sizeof(text)) && value(text, "\nino:\t") >= 0)
		sockets = (long)value(text, "\nmnt_id:\t");
	if (one >= 0)
		close(one);
	return sockets >= 0;
}

int descriptors_open(int32_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, descriptors_in_fdinfo() ? "fdinfo" : "fd");
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

uint64_t descriptors_socket(int directory, const char *name)
{
	char text[256];
	ssize_t n;

	if (descriptors_in_fdinfo()) {
		if (!read_head(directory, name, text, sizeof(text)) || value(text, "\nmnt_id:\t") != sockets)
			return 0;
		return (uint64_t)value(text, "\nino:\t");
	}
	n = readlinkat(directory, name, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return strncmp(text, "socket:[", 8) == 0 ? strtoull(text + 8, NULL, 10) : 0;
}

bool descriptors_may_be_epoll(int directory, const char *name)
{
	static const char epoll[] = "anon_inode:[eventpoll]";
	char target[64];
	ssize_t n;

	if (descriptors_in_fdinfo())
		return name[0] != '.';
	n = readlinkat(directory, name, target, sizeof(target));
	return n == sizeof(epoll) - 1 && memcmp(target, epoll, sizeof(epoll) - 1) == 0;
}
