// SPDX-License-Identifier: BSD-2-Clause
/* The helper's socket in the file system. */
#include "helper/server/parts.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * Connections that wait to be accepted; further ones wait in connect(). All of
 * them come before who asks next, whoever they are from: so not too many.
 */
#define QUEUE 128

static int set_path(struct sockaddr_un *address, const char *path)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(address->sun_path))
		return -ENAMETOOLONG;
	memcpy(address->sun_path, path, strlen(path));
	return 0;
}

pid_t server_answering(const char *path)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un address;
	struct ucred who = {0};
	socklen_t length = sizeof(who);
	pid_t pid = 0;

	if (fd < 0)
		return 0;
	if (set_path(&address, path) == 0) {
		if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
			pid = getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &length) == 0 && who.pid > 0
				      ? who.pid
				      : -1;
		else if (errno == EAGAIN)
			pid = -1;
	}
	close(fd);
	return pid;
}

static int bind_and_listen(int sock, const struct sockaddr_un *address, const struct server_options *o)
{
	const struct group *group = o->group ? getgrnam(o->group) : NULL;
	mode_t mask;
	int err;

	/* The file gets the mode that the socket has: no path is followed that somebody may have put in its
	 * place. */
	if (fchmod(sock, o->mode) < 0)
		return -errno;
	mask = umask(0);
	err = bind(sock, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;
	umask(mask);
	if (err)
		return err;
	if ((group && lchown(o->path, (uid_t)-1, group->gr_gid) < 0) || listen(sock, QUEUE) < 0) {
		err = -errno;
		unlink(o->path);
	}
	return err;
}

static int make_parent(const char *path)
{
	char copy[sizeof(((struct sockaddr_un *)0)->sun_path)];

	snprintf(copy, sizeof(copy), "%s", path);
	return mkdir(dirname(copy), 0755) < 0 && errno != EEXIST ? -errno : 0;
}

int socket_open(const struct server_options *o)
{
	struct sockaddr_un address;
	int sock, err = set_path(&address, o->path);

	if (!err)
		err = make_parent(address.sun_path);
	if (err)
		return err;
	if (server_answering(o->path))
		return -EADDRINUSE;
	unlink(o->path);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (sock < 0)
		return -errno;
	err = bind_and_listen(sock, &address, o);
	if (err) {
		close(sock);
		return err;
	}
	return sock;
}
