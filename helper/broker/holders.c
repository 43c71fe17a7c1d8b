// SPDX-License-Identifier: BSD-2-Clause
/*
 * Looks for sockets among the descriptors of processes. Runs in the broker.
 *
 * Of the processes of other users only so much is looked at: a socket that is
 * handed on is among the first that they have. For what they do with the rest
 * no share is kept waiting.
 */
#include "helper/broker/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/broker/parts.h"
#include "helper/parent.h"

#define OTHERS_EACH 1024 /* descriptors of a process of somebody else */
#define OTHERS_MS   500	 /* for all of those processes, and those before them */

struct search {
	struct job *job;
	const uint64_t *inodes;
	size_t n;
	struct holders_list *out;
};

int broker_read_question(int fd, struct holders_question *head, void **rest, size_t *out)
{
	struct stat st;
	size_t size;

	if (pread(fd, head, sizeof(*head), 0) != sizeof(*head) || fstat(fd, &st) < 0 ||
	    head->n_inodes > HOLDERS_INODES || head->n_known > HOLDERS_KNOWN)
		return -EBADMSG;
	size = head->n_inodes * sizeof(uint64_t) + head->n_known * sizeof(struct holders_one);
	if ((size_t)st.st_size != sizeof(*head) + size)
		return -EBADMSG;
	*rest = malloc(size + 1);
	if (!*rest)
		return -ENOMEM;
	*out = size;
	if (pread(fd, *rest, size, sizeof(*head)) == (ssize_t)size)
		return 0;
	free(*rest);
	return -EBADMSG;
}

/* The descriptors of a process, as the files of a directory. */
struct descriptors {
	int directory;
	bool infos; /* files that tell of them, not links to them */
};

/*
 * The links are another user's affair, whatever CAP_SYS_PTRACE says. What tells of them has been open to
 * that, and has had the inode in it, since Linux 5.14.
 */
static int open_descriptors(int32_t pid, struct descriptors *d)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	d->infos = false;
	d->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->directory < 0 && errno == EACCES) {
		snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
		d->infos = true;
		d->directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	return d->directory < 0 ? -errno : 0;
}

static uint64_t linked_socket(int directory, const char *name)
{
	char target[64];
	ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);

	if (n <= 0)
		return 0;
	target[n] = '\0';
	return strncmp(target, "socket:[", 8) == 0 ? strtoull(target + 8, NULL, 10) : 0;
}

struct info {
	uint64_t inode;
	long mount;
};

static bool read_info(int directory, const char *name, struct info *out)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	char text[256], *inode, *mount;
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	mount = strstr(text, "mnt_id:");
	inode = strstr(text, "\nino:");
	if (!mount || !inode)
		return false;
	*out = (struct info){.inode = strtoull(inode + 5, NULL, 10), .mount = strtol(mount + 7, NULL, 10)};
	return true;
}

/* The mount of all sockets: that of our own, or -1 where it is not told. */
static long mount_of_sockets = -1;

static void find_mount(void)
{
	struct info own;
	int fd;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		char name[16];
		int directory = open("/proc/self/fdinfo", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		snprintf(name, sizeof(name), "%d", fd);
		if (directory >= 0 && read_info(directory, name, &own))
			mount_of_sockets = own.mount;
		if (directory >= 0)
			close(directory);
		close(fd);
	}
}

static long socket_mount(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, find_mount);
	return mount_of_sockets;
}

/* The inode of the socket that this descriptor is, or 0. */
static uint64_t socket_at(const struct descriptors *d, const char *name)
{
	struct info info;

	if (!d->infos)
		return linked_socket(d->directory, name);
	return read_info(d->directory, name, &info) && info.mount == socket_mount() ? info.inode : 0;
}

static int add(const struct search *s, int32_t pid, int fd, size_t socket)
{
	struct holders_one one = {.pid = pid, .fd = fd, .parent = parent_of(pid), .socket = (uint32_t)socket};
	struct broker_answer process = {0};

	if (broker_process(pid, &process) == 0)
		memcpy(one.program, process.name, sizeof(one.program));
	if (s->out->n == s->out->room) {
		size_t room = s->out->room ? 2 * s->out->room : 16;
		struct holders_one *larger = reallocarray(s->out->at, room, sizeof(*larger));

		if (!larger)
			return -ENOMEM;
		s->out->at = larger;
		s->out->room = room;
	}
	s->out->at[s->out->n++] = one;
	return 0;
}

/* Is this socket among those found since then? */
static bool has(const struct holders_list *found, size_t since, size_t socket)
{
	for (size_t i = since; i < found->n; i++) {
		if (found->at[i].socket == socket)
			return true;
	}
	return false;
}

/*
 * Looks at that many descriptors of the process, until each socket is found: where it has one twice does not
 * matter. A process that is gone has none.
 */
static int search_process(const struct search *s, int32_t pid, size_t most)
{
	const size_t before = s->out->n;
	struct descriptors d;
	struct dirent *entry;
	DIR *directory;
	int err = 0;

	if (open_descriptors(pid, &d) < 0)
		return 0;
	directory = fdopendir(d.directory);
	if (!directory) {
		close(d.directory);
		return -ENOMEM;
	}
	while (!err && s->out->n - before < s->n && most-- > 0 && (entry = readdir(directory))) {
		uint64_t inode = entry->d_name[0] == '.' ? 0 : socket_at(&d, entry->d_name);

		if (job_is_late(s->job))
			err = -ETIME;
		for (size_t i = 0; inode && i < s->n && !err; i++) {
			if (s->inodes[i] == inode && !has(s->out, before, i))
				err = add(s, pid, atoi(entry->d_name), i);
		}
	}
	closedir(directory);
	return err;
}

/* The user's own processes, or those of all others. */
static int search_all(const struct search *s, uint32_t uid, bool others)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int err = 0;

	if (!proc)
		return -errno;
	while (!err && (entry = readdir(proc)) && !(others && job_ms() >= OTHERS_MS)) {
		int32_t pid = entry->d_name[0] >= '1' && entry->d_name[0] <= '9' ? atoi(entry->d_name) : 0;
		struct stat st;

		if (pid && pid != getpid() && fstatat(dirfd(proc), entry->d_name, &st, 0) == 0 &&
		    (st.st_uid != uid) == others)
			err = search_process(s, pid, others ? OTHERS_EACH : SIZE_MAX);
	}
	closedir(proc);
	return err;
}

static bool is_there(const struct search *s, const struct holders_one *known)
{
	struct descriptors d;
	char name[16];
	bool yes;

	if (known->fd < 0 || open_descriptors(known->pid, &d) < 0)
		return false;
	snprintf(name, sizeof(name), "%d", known->fd);
	yes = socket_at(&d, name) == s->inodes[known->socket];
	close(d.directory);
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
		if (job_is_late(s->job))
			return -ETIME;
		if (known[i].pid == searched)
			continue;
		if (is_there(s, &known[i])) {
			err = add(s, known[i].pid, known[i].fd, known[i].socket);
			continue;
		}
		searched = known[i].pid;
		err = search_process(s, searched, SIZE_MAX);
	}
	return err;
}

int broker_find_holders(struct job *job, const struct holders_question *head, const void *rest, uint32_t uid,
			struct holders_list *out)
{
	const struct search s = {.job = job, .inodes = rest, .n = head->n_inodes, .out = out};
	int err;

	if (head->n_known)
		return search_known(&s, (const struct holders_one *)(s.inodes + s.n), head->n_known);
	err = search_all(&s, uid, false);
	return err ? err : search_all(&s, uid, true);
}
