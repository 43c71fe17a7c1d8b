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

static int manager = -1;

bool notify_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return false;
	length = strlen(path);
	if (length >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (manager < 0)
		return false;
	if (connect(manager, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) == 0)
		return true;
	log_warn("%s: the service manager cannot be told", path);
	close(manager);
	manager = -1;
	return false;
}

void notify_tell(const char *text, int fd)
{
	struct iovec part = {(char *)text, strlen(text)};
	int err = manager < 0 ? 0 : fdpass_send(manager, &part, 1, fd);

	if (err)
		log_warn("the service manager could not be told: %s", strerror(-err));
}

void notify_ready(void)
{
	notify_tell("READY=1", -1);
}
