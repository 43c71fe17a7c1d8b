// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks for a socket in the epoll instances of a process. Runs in the broker.
 * No descriptor number is believed: it is the inode that tells.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "helper/broker/descriptors.h"
#include "helper/broker/parts.h"

/* "tfd: 5 events: 19 data: 5 pos:0 ino:1d5c sdev:8": the device is as the kernel has it inside. */
static bool names(const char *line, uint64_t device, uint64_t inode)
{
	const char *ino = strstr(line, " ino:"), *sdev = strstr(line, " sdev:");
	uint64_t as_inside = (uint64_t)major(device) << 20 | minor(device);

	return strncmp(line, "tfd:", 4) == 0 && ino && sdev && strtoull(ino + 5, NULL, 16) == inode &&
	       strtoull(sdev + 6, NULL, 16) == as_inside;
}

static bool has_socket(int32_t pid, const char *descriptor, const struct holders_question *q, uint64_t inode)
{
	char path[64], line[256];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", pid, descriptor);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f))
		found = names(line, q->device, inode);
	fclose(f);
	return found;
}

int broker_is_polled(int question)
{
	struct holders_question head;
	const struct holders_one *process;
	const uint64_t *inode;
	struct dirent *entry;
	DIR *directory;
	void *rest;
	int err = broker_read_question(question, &head, &rest), fd;

	if (err)
		return err;
	inode = rest;
	process = (const struct holders_one *)(inode + head.n_inodes);
	if (head.n_inodes != 1 || head.n_known != 1) {
		free(rest);
		return -EBADMSG;
	}
	fd = descriptors_open(process->pid);
	directory = fd < 0 ? NULL : fdopendir(fd);
	if (!directory)
		err = -errno;
	while (!err && (entry = readdir(directory))) {
		if (descriptors_may_be_epoll(dirfd(directory), entry->d_name) &&
		    has_socket(process->pid, entry->d_name, &head, *inode))
			err = -EBUSY;
	}
	if (directory)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
	free(rest);
	return err;
}
