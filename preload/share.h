/* SPDX-License-Identifier: BSD-2-Clause */
/* One socket, many processes: with SKL_SHARE a program may get the socket of another in place of its own. */
#ifndef SKL_SHARE_H
#define SKL_SHARE_H

#include "helper/wire.h"
#include "preload/ask.h"

struct say;

/* Is this a bind() to an explicit port of a TCP or UDP socket, over IPv4 or IPv6? `join` becomes what the
 * helper is told then. */
int share_concerns(int fd, const void *address, unsigned int length, struct skl_join *join);

/*
 * Asks for the share's socket, and puts it over question->fd. Returns 1 if it is there; 0 if the program
 * is to bind its own; or -errno, with *say and *end as of ask(). Takes at most as long as two questions.
 */
int share_join(const struct ask *question, struct say *say, enum ask_end *end);

/* Before another attempt of bind(). */
void share_pause(void);

/* The backlog to be given to listen(): a socket that listens already has users whose queue must not shrink.
 */
int share_backlog(int fd, int backlog);

#endif
