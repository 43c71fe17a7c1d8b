// SPDX-License-Identifier: BSD-2-Clause
#include "helper/fdpass.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/discard.h"

/* As many as the kernel attaches to one message (SCM_MAX_FD): an excess must be seen in order to be closed.
 */
#define ATTACHED_MAX 253

int fdpass_send(int sock, const struct iovec *parts, size_t n_parts, int fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = n_parts};
	ssize_t sent;

	if (fd >= 0) {
		struct cmsghdr *c;

		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	}
	do {
		sent = sendmsg(sock, &message, MSG_NOSIGNAL);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

/* Keeps the first descriptor in *fd and closes the others. Returns how many there were, or -EBADMSG. */
static int take_descriptors(struct msghdr *message, int *fd)
{
	int count = 0, err = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			err = -EBADMSG;
			continue;
		}
		for (size_t i = 0; i < n; i++) {
			int one;

			memcpy(&one, CMSG_DATA(c) + i * sizeof(one), sizeof(one));
			if (count++ == 0)
				*fd = one;
			else
				discard(one);
		}
	}
	return err ? err : count;
}

ssize_t fdpass_receive(int sock, void *buffer, size_t size, int *fd)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(ATTACHED_MAX * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = buffer, .iov_len = size};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got;
	int attached;

	*fd = -1;
	do {
		got = recvmsg(sock, &message, MSG_CMSG_CLOEXEC);
	} while (got < 0 && errno == EINTR);
	if (got < 0)
		return -errno;

	attached = take_descriptors(&message, fd);
	if (attached < 0)
		got = attached;
	else if (attached > 1 || (message.msg_flags & MSG_CTRUNC))
		got = -ETOOMANYREFS;
	else if (message.msg_flags & MSG_TRUNC)
		got = -EMSGSIZE;
	/* an empty message passes for the end, where nobody looks for a descriptor */
	if (got <= 0 && *fd >= 0) {
		discard(*fd);
		*fd = -1;
	}
	return got;
}
