// SPDX-License-Identifier: BSD-2-Clause
#include "helper/notify.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper/log.h"

static int manager = -1;

void notify_open(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length;

	if (!path || (path[0] != '/' && path[0] != '@'))
		return;
	length = strlen(path);
	if (length >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (manager < 0)
		return;
	if (connect(manager, (struct sockaddr *)&address,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)) == 0)
		return;
	log_warn("%s: the service manager cannot be told", path);
	close(manager);
	manager = -1;
}

void notify_ready(void)
{
	static const char ready[] = "READY=1";

	if (manager < 0)
		return;
	if (send(manager, ready, sizeof(ready) - 1, MSG_NOSIGNAL) < 0)
		log_warn("the service manager could not be told");
	close(manager);
	manager = -1;
}
