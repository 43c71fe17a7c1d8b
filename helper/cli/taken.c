// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/taken.h"

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif
#ifndef SIOCGSKNS
#define SIOCGSKNS 0x894c
#endif

static int option(int sock, int name)
{
	socklen_t length = sizeof(int);
	int value = -1;

	return getsockopt(sock, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

bool taken_is_internet(int sock, int type, int protocol)
{
	int domain = option(sock, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) && option(sock, SO_TYPE) == type &&
	       option(sock, SO_PROTOCOL) == protocol;
}

uint64_t taken_cookie(int sock)
{
	socklen_t length = sizeof(uint64_t);
	uint64_t value = 0;

	getsockopt(sock, SOL_SOCKET, SO_COOKIE, &value, &length);
	return value;
}

/* 0 where the kernel does not tell (before Linux 5.14). */
static uint64_t namespace_cookie(int sock)
{
	socklen_t length = sizeof(uint64_t);
	uint64_t value = 0;

	getsockopt(sock, SOL_SOCKET, SO_NETNS_COOKIE, &value, &length);
	return value;
}

/* Only who administers the namespace is told. */
static bool is_same_file(int sock)
{
	int theirs = ioctl(sock, SIOCGSKNS);
	struct stat a, b;
	bool same;

	if (theirs < 0)
		return false;
	same = fstat(theirs, &a) == 0 && stat("/proc/self/ns/net", &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
	close(theirs);
	return same;
}

bool taken_is_here(int sock)
{
	uint64_t theirs = namespace_cookie(sock);
	bool same;
	int ours;

	if (!theirs)
		return is_same_file(sock);
	ours = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	same = ours >= 0 && namespace_cookie(ours) == theirs;
	if (ours >= 0)
		close(ours);
	return same;
}

bool taken_has_effect(int sock, bool is_bind)
{
	struct sockaddr_in6 at = {0};
	socklen_t length = sizeof(at);

	if (!is_bind)
		return option(sock, SO_ACCEPTCONN) == 1;
	return getsockname(sock, (struct sockaddr *)&at, &length) == 0 && at.sin6_port != 0;
}
