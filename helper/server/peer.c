// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

/* 0 or -errno. */
static int read_groups(int conn, struct peer *p)
{
	socklen_t length = 0;

	if (getsockopt(conn, SOL_SOCKET, SO_PEERGROUPS, NULL, &length) == 0)
		return 0; /* it has none */
	if (errno != ERANGE)
		return -errno;
	p->groups = malloc(length);
	if (!p->groups)
		return -ENOMEM;
	if (getsockopt(conn, SOL_SOCKET, SO_PEERGROUPS, p->groups, &length) < 0)
		return -errno;
	p->n_groups = length / sizeof(gid_t);
	return 0;
}

int peer_identify(int conn, struct peer *out)
{
	struct ucred credentials;
	socklen_t length = sizeof(credentials);

	*out = (struct peer){.pidfd = -1};
	if (getsockopt(conn, SOL_SOCKET, SO_PEERCRED, &credentials, &length) < 0)
		return -errno;
	out->uid = credentials.uid;
	out->gid = credentials.gid;
	out->pid = credentials.pid;
	return read_groups(conn, out);
}

void peer_find_process(int conn, struct peer *p)
{
	uid_t owner;

	p->pidfd = open_pidfd(conn, p->pid);
	if (p->pid > 0)
		look_at(p->pid, &owner, p->program); /* who is not to be seen has no name */
}

void peer_close(struct peer *p)
{
	free(p->groups);
	if (p->pidfd >= 0)
		close(p->pidfd);
	*p = (struct peer){.pidfd = -1};
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
