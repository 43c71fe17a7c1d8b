/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_DISCARD_H
#define SKL_DISCARD_H

/*
 * Closes a descriptor that somebody sent us, whatever it is. close() can take as
 * long as its sender likes (SO_LINGER on a connection, a file system of his
 * own), and must not hold up everybody else: so it happens in a thread.
 */
void discard(int fd);

/*
 * The same for a connection that we accepted (AF_UNIX, SOCK_SEQPACKET): with it
 * goes what was sent and not read. Where that is nothing, as mostly, no thread is
 * needed.
 */
void hang_up(int conn);

#endif
