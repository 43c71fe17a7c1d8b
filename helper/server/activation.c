// SPDX-License-Identifier: BSD-2-Clause
/* The socket that a service manager has made, and listens on while no helper runs: see sd_listen_fds(3). */
#include "helper/server/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "helper/handed.h"
#include "helper/log.h"

static int option(int sock, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return getsockopt(sock, SOL_SOCKET, name, &value, &length) < 0 ? -1 : value;
}

struct passed {
	int n, fd;
};

static void count(void *context, int fd, const char *name)
{
	struct passed *p = context;

	p->n++;
	p->fd = fd;
}

int activation_socket(void)
{
	struct passed p = {0};

	handed_each(HANDED_OTHERS, count, &p);
	if (p.n == 0)
		return -ENOENT;
	if (p.n > 1 || option(p.fd, SO_DOMAIN) != AF_UNIX || option(p.fd, SO_TYPE) != SOCK_SEQPACKET ||
	    option(p.fd, SO_ACCEPTCONN) != 1) {
		log_error("the service manager passed %d descriptors: one is expected, and that it is the "
			  "socket of ListenSequentialPacket=",
			  p.n);
		return -EINVAL;
	}
	return fcntl(p.fd, F_SETFL, O_NONBLOCK) < 0 ? -errno : p.fd;
}
