// SPDX-License-Identifier: BSD-2-Clause
/* The socket that a service manager has made, and listens on while no helper runs: see sd_listen_fds(3). */
#include "helper/server/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/log.h"

#define FIRST 3

static long number(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long value = text ? strtol(text, &end, 10) : 0;

	return text && *text && *end == '\0' ? value : 0;
}

static int option(int sock, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return getsockopt(sock, SOL_SOCKET, name, &value, &length) < 0 ? -1 : value;
}

int activation_socket(void)
{
	long n = number("LISTEN_FDS");

	if (n <= 0 || number("LISTEN_PID") != getpid())
		return -ENOENT;
	if (n > 1 || option(FIRST, SO_DOMAIN) != AF_UNIX || option(FIRST, SO_TYPE) != SOCK_SEQPACKET ||
	    option(FIRST, SO_ACCEPTCONN) != 1) {
		log_error("the service manager passed %ld descriptors: one is expected, and that it is the "
			  "socket of "
			  "ListenSequentialPacket=",
			  n);
		return -EINVAL;
	}
	if (fcntl(FIRST, F_SETFD, FD_CLOEXEC) < 0 || fcntl(FIRST, F_SETFL, O_NONBLOCK) < 0)
		return -errno;
	return FIRST;
}
