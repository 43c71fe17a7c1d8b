// SPDX-License-Identifier: BSD-2-Clause
/* What /proc says about a process that asks. A number is decoration: rights are asked of a pidfd that lives.
 */
#include <fcntl.h>
#include <errno.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/broker/parts.h"

static bool lives(int pidfd)
{
	struct pollfd poll_fd = {.fd = pidfd, .events = POLLIN};

	return pidfd >= 0 && poll(&poll_fd, 1, 0) == 0;
}

static int open_proc(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* Reads a small file of /proc/PID as a string. Returns its length, or -1. */
static ssize_t read_proc(pid_t pid, const char *name, char *out, size_t size)
{
	int fd = open_proc(pid, name);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, out, size - 1);
	close(fd);
	if (n >= 0)
		out[n] = '\0';
	return n;
}

int broker_process(pid_t pid, struct broker_answer *answer)
{
	char path[64];
	struct stat st;

	if (pid <= 0)
		return -ESRCH;
	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &st) < 0 || read_proc(pid, "comm", answer->name, sizeof(answer->name)) < 0)
		return -ESRCH;
	answer->name[strcspn(answer->name, "\n")] = '\0';
	answer->uid = st.st_uid;
	return 0;
}

static uint64_t inode(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : st.st_ino;
}

static bool has_capability(const char *status, const char *set, int capability)
{
	const char *line = strstr(status, set);

	return line && (strtoull(line + strlen(set), NULL, 16) >> capability & 1);
}

/* Whose uid, as seen from here, is root's in the user namespace of that process? -1 where nobody's. */
static int64_t root_of(pid_t pid)
{
	char map[4096], *line = map;
	long long inside, outside, count;

	if (read_proc(pid, "uid_map", map, sizeof(map)) < 0)
		return -1;
	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, "%lld %lld %lld", &inside, &outside, &count) == 3 && inside == 0)
			return outside;
	}
	return -1;
}

/* The effective uid in /proc/PID/status, or -1. */
static int64_t effective_uid(const char *status)
{
	const char *line = strstr(status, "\nUid:");
	long long real, effective;

	return line && sscanf(line, "\nUid: %lld %lld", &real, &effective) == 2 ? effective : -1;
}

/*
 * The set that counts. A process can connect, let another send its request and
 * exec a program that has capabilities it has not: what /proc shows by then is
 * not its own. So for an ordinary user the capability must be an ambient one:
 * exec of anything that raises privileges clears those. Root of its user
 * namespace gains nothing by such an exec.
 */
static bool holds(const struct broker_request *r)
{
	char status[8192];

	if (read_proc(r->pid, "status", status, sizeof(status)) < 0 ||
	    effective_uid(status) != (int64_t)r->uid)
		return false;
	if (!has_capability(status, "\nCapEff:\t", (int)r->number))
		return false;
	return root_of(r->pid) == (int64_t)r->uid || has_capability(status, "\nCapAmb:\t", (int)r->number);
}

/* As cap_capable() in security/commoncap.c: up from the owner towards the peer's own user namespace. */
static bool capable_over(const struct broker_request *r, int netns)
{
	int own = open_proc(r->pid, "ns/user"), at = ioctl(netns, NS_GET_USERNS);
	uint64_t user_ns = own < 0 ? 0 : inode(own);
	bool yes = false;

	while (at >= 0 && user_ns != 0) {
		uid_t owner = (uid_t)-1;
		int parent;

		if (inode(at) == user_ns) {
			yes = holds(r);
			break;
		}
		parent = ioctl(at, NS_GET_PARENT);
		/* who made a user namespace has every capability in it */
		if (parent >= 0 && inode(parent) == user_ns && ioctl(at, NS_GET_OWNER_UID, &owner) == 0 &&
		    owner == r->uid) {
			close(parent);
			yes = true;
			break;
		}
		close(at);
		at = parent;
	}
	if (at >= 0)
		close(at);
	if (own >= 0)
		close(own);
	return yes;
}

bool broker_is_capable(const struct broker_request *request, int pidfd, int netns)
{
	if (request->pid <= 0 || request->number > 63 || !lives(pidfd))
		return false;
	/* what was read was the peer's only if its number was still its own afterwards */
	return capable_over(request, netns) && lives(pidfd);
}
