// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

/*
 * Where the kernel has SO_PEERPIDFD (6.5) it is the process that connected, even
 * if its number has gone to another since. Before, the number is all there is.
 */
static int open_pidfd(int conn, pid_t pid)
{
	int fd = -1;
	socklen_t length = sizeof(fd);

	if (getsockopt(conn, SOL_SOCKET, SO_PEERPIDFD, &fd, &length) == 0) {
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		return fd;
	}
	if (errno != ENOPROTOOPT || pid <= 0)
		return -1;
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static bool lives(const struct peer *p)
{
	struct pollfd poll_fd = {.fd = p->pidfd, .events = POLLIN};

	return p->pidfd >= 0 && poll(&poll_fd, 1, 0) == 0;
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

bool peer_owns(const struct peer *p, pid_t pid)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	return p->uid == 0 || (stat(path, &st) == 0 && st.st_uid == p->uid);
}

void peer_program(pid_t pid, char out[16])
{
	memset(out, 0, 16);
	if (pid <= 0 || read_proc(pid, "comm", out, 16) < 0)
		return;
	out[strcspn(out, "\n")] = '\0';
}

int peer_read(int conn, struct peer *out)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	*out = (struct peer){.pidfd = -1};
	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
		return -errno;
	out->uid = credentials.uid;
	out->gid = credentials.gid;
	out->pid = credentials.pid;
	out->pidfd = open_pidfd(conn, credentials.pid);
	peer_program(out->pid, out->program);
	return 0;
}

void peer_close(struct peer *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->pidfd = -1;
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
static bool holds(const struct peer *p, int capability)
{
	char status[8192];

	if (read_proc(p->pid, "status", status, sizeof(status)) < 0 ||
	    effective_uid(status) != (int64_t)p->uid)
		return false;
	if (!has_capability(status, "\nCapEff:\t", capability))
		return false;
	return root_of(p->pid) == (int64_t)p->uid || has_capability(status, "\nCapAmb:\t", capability);
}

/* As cap_capable() in security/commoncap.c: up from the owner towards the peer's own user namespace. */
static bool capable_over(const struct peer *p, int netns, int capability)
{
	int own = open_proc(p->pid, "ns/user"), at = ioctl(netns, NS_GET_USERNS);
	uint64_t user_ns = own < 0 ? 0 : inode(own);
	bool yes = false;

	while (at >= 0 && user_ns != 0) {
		uid_t owner = (uid_t)-1;
		int parent;

		if (inode(at) == user_ns) {
			yes = holds(p, capability);
			break;
		}
		parent = ioctl(at, NS_GET_PARENT);
		/* who made a user namespace has every capability in it */
		if (parent >= 0 && inode(parent) == user_ns && ioctl(at, NS_GET_OWNER_UID, &owner) == 0 &&
		    owner == p->uid) {
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

bool peer_is_capable(const struct peer *p, int netns, int capability)
{
	if (p->pid <= 0 || !lives(p))
		return false;
	/* what was read was the peer's only if its number was still its own afterwards */
	return capable_over(p, netns, capability) && lives(p);
}
