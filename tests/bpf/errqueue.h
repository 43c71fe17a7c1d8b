/* SPDX-License-Identifier: BSD-2-Clause */
/* What MSG_ERRQUEUE tells of a UDP socket of IPv4. */
#ifndef SKL_TESTS_BPF_ERRQUEUE_H
#define SKL_TESTS_BPF_ERRQUEUE_H

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Room for one control message, and a place for the compiler's idea of alignment. */
union control {
	struct cmsghdr header;
	char room[CMSG_SPACE(128)];
};

/* Takes one error, and to whom that went which it is about. Returns as recvmsg() does. */
static inline ssize_t take_error(int fd, struct sock_extended_err *error, struct sockaddr_in *to)
{
	char byte;
	union control control = {0};
	struct iovec data = {&byte, 1};
	struct msghdr message = {.msg_name = to,
				 .msg_namelen = sizeof(*to),
				 .msg_iov = &data,
				 .msg_iovlen = 1,
				 .msg_control = &control,
				 .msg_controllen = sizeof(control)};
	ssize_t got = recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT);
	struct cmsghdr *header = got < 0 ? NULL : CMSG_FIRSTHDR(&message);

	*error = (struct sock_extended_err){0};
	if (header && header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR)
		memcpy(error, CMSG_DATA(header), sizeof(*error));
	return got;
}

#endif
