// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/sockets.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SO_BINDTOIFINDEX
#define SO_BINDTOIFINDEX 62
#endif

static int get_option(int fd, int level, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, name, &value, &length) < 0 ? -1 : value;
}

static bool is_listener(int fd)
{
	int domain = get_option(fd, SOL_SOCKET, SO_DOMAIN);
	int protocol = get_option(fd, SOL_SOCKET, SO_PROTOCOL);

	return (domain == AF_INET || domain == AF_INET6) && get_option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1 &&
	       (protocol == IPPROTO_TCP || protocol == IPPROTO_MPTCP);
}

static int read_address(int fd, struct address *a)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} name = {0};
	socklen_t length = sizeof(name);

	if (getsockname(fd, &name.any, &length) < 0)
		return -errno;
	memset(a, 0, sizeof(*a));
	a->family = name.any.sa_family;
	if (a->family == AF_INET6) {
		memcpy(a->bytes, &name.v6.sin6_addr, 16);
		a->port = ntohs(name.v6.sin6_port);
		a->v6only = get_option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 1;
	} else {
		memcpy(a->bytes, &name.v4.sin_addr, 4);
		a->port = ntohs(name.v4.sin_port);
	}
	return 0;
}

/* Takes over fd: keeps it when it listens, else closes it. */
static int keep(struct sockets *s, int fd, uint64_t inode)
{
	struct sockets_one one = {.fd = fd, .inode = inode}, *more;
	int device, err = 0;

	if (!is_listener(fd))
		goto drop;
	err = read_address(fd, &one.address);
	if (err)
		goto drop;
	device = get_option(fd, SOL_SOCKET, SO_BINDTOIFINDEX);
	one.device = device > 0 ? (unsigned int)device : 0;
	more = reallocarray(s->all, s->n + 1, sizeof(*more));
	if (!more) {
		err = -ENOMEM;
		goto drop;
	}
	s->all = more;
	s->all[s->n++] = one;
	return 0;
drop:
	close(fd);
	return err;
}

static bool have(const struct sockets *s, uint64_t inode)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->all[i].inode == inode)
			return true;
	return false;
}

/* The number in "socket:[4711]". */
static bool parse_inode(const char *target, uint64_t *inode)
{
	static const char prefix[] = "socket:[";
	char *end;

	if (strncmp(target, prefix, strlen(prefix)) != 0)
		return false;
	*inode = strtoull(target + strlen(prefix), &end, 10);
	return *end == ']';
}

/* Looks at one entry of /proc/PID/fd. */
static int consider(struct sockets *s, int pidfd, int directory, const char *name)
{
	uint64_t inode;
	char target[64];
	ssize_t n = readlinkat(directory, name, target, sizeof(target) - 1);
	int fd;

	if (n < 0)
		return errno == ENOENT ? 0 : -errno; /* closed meanwhile */
	target[n] = '\0';
	if (!parse_inode(target, &inode) || have(s, inode))
		return 0;
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, (int)strtol(name, NULL, 10), 0);
	if (fd < 0)
		return errno == EBADF ? 0 : -errno;
	return keep(s, fd, inode);
}

static int walk(struct sockets *s, pid_t pid, int pidfd)
{
	char path[64];
	struct dirent *entry;
	DIR *directory;
	int err = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	directory = opendir(path);
	if (!directory)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!err && (errno = 0, entry = readdir(directory)) != NULL)
		if (entry->d_name[0] != '.')
			err = consider(s, pidfd, dirfd(directory), entry->d_name);
	if (!err && errno)
		err = -errno;
	closedir(directory);
	return err;
}

int sockets_take(pid_t pid, struct sockets *sockets)
{
	struct pollfd ended;
	int pidfd, err;

	memset(sockets, 0, sizeof(*sockets));
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) /* the id of a thread is no process either */
		return errno == EINVAL || errno == ENOENT ? -ESRCH : -errno;
	err = walk(sockets, pid, pidfd);
	/* while it lives, its id is not somebody else's: what was read in /proc was about it */
	ended = (struct pollfd){.fd = pidfd, .events = POLLIN};
	if (poll(&ended, 1, 0) > 0)
		err = -ESRCH;
	close(pidfd);
	return err;
}

void sockets_free(struct sockets *sockets)
{
	for (size_t i = 0; i < sockets->n; i++)
		close(sockets->all[i].fd);
	free(sockets->all);
	memset(sockets, 0, sizeof(*sockets));
}

bool sockets_same_listener(const struct sockets_one *a, const struct sockets_one *b)
{
	return a->device == b->device && address_same(&a->address, &b->address);
}
