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

#include "helper/broker/parts.h"

/* "tfd: 5 events: 19 data: 5 pos:0 ino:1d5c sdev:8": the device is as the kernel has it inside. */
static bool names(const char *line, uint64_t device, uint64_t inode)
{
	const char *ino = strstr(line, " ino:"), *sdev = strstr(line, " sdev:");
	uint64_t as_inside = (uint64_t)major(device) << 20 | minor(device);

	return strncmp(line, "tfd:", 4) == 0 && ino && sdev && strtoull(ino + 5, NULL, 16) == inode &&
	       strtoull(sdev + 6, NULL, 16) == as_inside;
}

/* Only epoll instances tell of others. */
static bool has_socket(struct job *job, int directory, const char *descriptor,
		       const struct holders_question *q, uint64_t inode)
{
	int fd = openat(directory, descriptor, O_RDONLY | O_CLOEXEC);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	bool found = false;
	char line[256];

	if (!f) {
		if (fd >= 0)
			close(fd);
		return false;
	}
	while (!found && !job_is_late(job) && fgets(line, sizeof(line), f))
		found = names(line, q->device, inode);
	fclose(f);
	return found;
}

int broker_is_polled(struct job *job, const struct holders_question *head, const void *rest)
{
	const uint64_t *inode = rest;
	const struct holders_one *process = (const struct holders_one *)(inode + head->n_inodes);
	struct dirent *entry;
	char path[32];
	DIR *directory;
	int err = 0;

	if (head->n_inodes != 1 || head->n_known != 1)
		return -EBADMSG;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo", process->pid);
	directory = opendir(path);
	if (!directory)
		return -errno;
	while (!err && (entry = readdir(directory))) {
		if (entry->d_name[0] != '.' && has_socket(job, dirfd(directory), entry->d_name, head, *inode))
			err = -EBUSY;
		else if (job_is_late(job))
			err = -ETIME;
	}
	closedir(directory);
	return err;
}
