/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_DISCARD_H
#define SKL_DISCARD_H

/*
 * Closes a descriptor that somebody sent us, whatever it is. close() can take as
 * long as its sender likes (SO_LINGER on a connection, a file system of his
 * own), and must not hold up everybody else: so it happens in a thread.
 */
void discard(int fd);

#endif
