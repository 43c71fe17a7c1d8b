// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/broker/broker.h"

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

/* Whose process it is and its name, as of now. */
static int look_at(pid_t pid, uid_t *owner, char program[16])
{
	struct broker_request request = {.order = BROKER_PROCESS, .pid = pid};
	struct broker_answer answer = {0};
	int none, err = broker_call(&request, -1, -1, &answer, &none);

	if (err)
		return err;
	memcpy(program, answer.name, 15);
	*owner = answer.uid;
	return 0;
}

bool peer_owns(const struct peer *p, pid_t pid, char program[16])
{
	uid_t owner;

	memset(program, 0, 16);
	return pid > 0 && look_at(pid, &owner, program) == 0 && (p->uid == 0 || p->uid == owner);
}

int peer_read(int conn, struct peer *out)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);
	uid_t owner;

	*out = (struct peer){.pidfd = -1};
	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
		return -errno;
	out->uid = credentials.uid;
	out->gid = credentials.gid;
	out->pid = credentials.pid;
	out->pidfd = open_pidfd(conn, credentials.pid);
	if (out->pid > 0)
		look_at(out->pid, &owner, out->program); /* who is not to be seen has no name */
	return 0;
}

void peer_close(struct peer *p)
{
	if (p->pidfd >= 0)
		close(p->pidfd);
	p->pidfd = -1;
}

bool peer_is_capable(const struct peer *p, int netns, int capability)
{
	struct broker_request request = {
		.order = BROKER_CAPABLE, .number = (uint64_t)capability, .pid = p->pid, .uid = p->uid};
	struct broker_answer answer = {0};
	int none;

	if (p->pid <= 0 || p->pidfd < 0)
		return false;
	return broker_call(&request, p->pidfd, netns, &answer, &none) == 0 && answer.yes;
}
