// SPDX-License-Identifier: BSD-2-Clause
/* Looks for sockets among the descriptors of processes. Runs in the broker. */
#include "helper/broker/holders.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/broker/descriptors.h"
#include "helper/broker/parts.h"
#include "helper/parent.h"

struct search {
	const uint64_t *inodes;
	size_t n;
	int out; /* a file of struct holders_one */
};

int broker_read_question(int fd, struct holders_question *head, void **rest)
{
	struct stat st;
	size_t size;

	if (pread(fd, head, sizeof(*head), 0) != sizeof(*head) || fstat(fd, &st) < 0)
		return -EBADMSG;
	size = head->n_inodes * sizeof(uint64_t) + head->n_known * sizeof(struct holders_one);
	if ((size_t)st.st_size != sizeof(*head) + size)
		return -EBADMSG;
	*rest = malloc(size + 1);
	if (!*rest)
		return -ENOMEM;
	if (pread(fd, *rest, size, sizeof(*head)) == (ssize_t)size)
		return 0;
	free(*rest);
	return -EBADMSG;
}

static int add(const struct search *s, int32_t pid, int fd, size_t socket)
{
	struct holders_one one = {.pid = pid, .fd = fd, .parent = parent_of(pid), .socket = (uint32_t)socket};
	struct broker_answer process = {0};

	if (broker_process(pid, &process) == 0)
		memcpy(one.program, process.name, sizeof(one.program));
	return write(s->out, &one, sizeof(one)) == sizeof(one) ? 0 : -EIO;
}

/* Looks at all descriptors of the process. A process that is gone has none. */
static int search_process(const struct search *s, int32_t pid)
{
	int fd = descriptors_open(pid), err = 0;
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!directory) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while (!err && (entry = readdir(directory))) {
		uint64_t inode = entry->d_name[0] == '.' ? 0 : descriptors_socket(fd, entry->d_name);

		for (size_t i = 0; inode && i < s->n && !err; i++) {
			if (s->inodes[i] == inode)
				err = add(s, pid, atoi(entry->d_name), i);
		}
	}
	closedir(directory);
	return err;
}

static int search_all(const struct search *s)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	if (!proc)
		return -errno;
	while (!err && (entry = readdir(proc))) {
		int32_t pid = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? atoi(entry->d_name) : 0;

		if (pid && pid != getpid())
			err = search_process(s, pid);
	}
	closedir(proc);
	return err;
}

static bool is_there(const struct search *s, const struct holders_one *known)
{
	int directory = descriptors_open(known->pid);
	char name[16];
	bool yes;

	if (directory < 0)
		return false;
	snprintf(name, sizeof(name), "%d", known->fd);
	yes = known->fd >= 0 && descriptors_socket(directory, name) == s->inodes[known->socket];
	close(directory);
	return yes;
}

/* Those whose descriptor is not what it was are searched as a whole, once for all sockets. */
static int search_known(const struct search *s, const struct holders_one *known, size_t n)
{
	int32_t searched = 0;
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		if (known[i].socket >= s->n)
			return -EBADMSG;
		if (known[i].pid == searched)
			continue;
		if (is_there(s, &known[i])) {
			err = add(s, known[i].pid, known[i].fd, known[i].socket);
			continue;
		}
		searched = known[i].pid;
		err = search_process(s, searched);
	}
	return err;
}

int broker_find_holders(int question, int answer)
{
	struct holders_question head;
	struct search s;
	void *rest;
	int err = broker_read_question(question, &head, &rest);

	if (err)
		return err;
	s = (struct search){.inodes = rest, .n = head.n_inodes, .out = answer};
	if (head.n_known)
		err = search_known(&s, (struct holders_one *)(s.inodes + s.n), head.n_known);
	else
		err = search_all(&s);
	free(rest);
	return err;
}
