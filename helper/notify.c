// SPDX-License-Identifier: BSD-2-Clause
#include "helper/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper/fdpass.h"
#include "helper/log.h"

/* Where it listens; NULL where it does not. */
static const char *path(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	if (!path || (path[0] != '/' && path[0] != '@') ||
	    strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		return NULL;
	return path;
}

bool notify_is_there(void)
{
	return path() != NULL;
}

void notify_tell(const char *text, int attached)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct iovec part = {(char *)text, strlen(text)};
	const char *to = path();
	size_t length;
	int fd, err;

	if (!to)
		return;
	length = strlen(to);
	memcpy(address.sun_path, to, length);
	if (to[0] == '@')
		address.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	err = connect(fd, (struct sockaddr *)&address,
		      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length))
		      ? -errno
		      : fdpass_send(fd, &part, 1, attached);
	if (err)
		log_warn("%s: the service manager could not be told: %s", to, strerror(-err));
	close(fd);
}

void notify_ready(void)
{
	notify_tell("READY=1", -1);
}
