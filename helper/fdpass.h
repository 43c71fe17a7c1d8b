/* SPDX-License-Identifier: BSD-2-Clause */
/* One message with at most one descriptor over an AF_UNIX socket: how the wire's requests and replies travel.
 */
#ifndef SKL_FDPASS_H
#define SKL_FDPASS_H

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

/*
 * Sends the parts as one message, with `fd` attached unless it is -1; fd stays
 * the caller's. Returns 0 or -errno (-EAGAIN where a non-blocking socket is full).
 */
int fdpass_send(int sock, const struct iovec *parts, size_t n_parts, int fd);

/*
 * Receives one message of at most `size` bytes. *fd becomes the attached
 * descriptor, close-on-exec and the caller's to close, or -1.
 *
 * Returns the number of bytes (0: the other side closed, or sent an empty message), or
 *   -EMSGSIZE  the message was longer than size
 *   -ETOOMANYREFS  more than one descriptor, or descriptors that could not be received
 *   -EBADMSG   something other than descriptors was attached
 *   or the errno of recvmsg().
 * Whatever came along with a refused or empty message has been closed.
 */
ssize_t fdpass_receive(int sock, void *buffer, size_t size, int *fd);

#endif
