// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/taken.h"

#include <netinet/in.h>
#include <sys/socket.h>

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

bool taken_has_effect(int sock, bool is_bind)
{
	struct sockaddr_in6 at = {0};
	socklen_t length = sizeof(at);

	if (!is_bind)
		return option(sock, SO_ACCEPTCONN) == 1;
	return getsockname(sock, (struct sockaddr *)&at, &length) == 0 && at.sin6_port != 0;
}
