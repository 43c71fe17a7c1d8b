/* SPDX-License-Identifier: BSD-2-Clause */
/* The other end of the wire: one question to the helper, one answer. */
#ifndef SKL_CLI_CLIENT_H
#define SKL_CLI_CLIENT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "helper/wire.h"

#define CLIENT_DEADLINE_MS 10000 /* for an answer */

struct client_answer {
	int error; /* 0, or a positive errno: what the helper decided */
	int fd;	   /* a descriptor that came along, the caller's to close, or -1 */
	char text[SKL_SAY_MAX + 1];
};

/* The path of the helper's socket: SKL_HELPER, or the default. */
const char *client_helper(void);

/*
 * Makes SKL_HELPER absolute: a relative path leads elsewhere once the helper,
 * or the program, changes its directory. Returns 0, or -errno having complained.
 */
int client_make_absolute(void);

/*
 * Asks as the program of that number (0: none, see helper/wire.h), with `length` bytes of SKL_* text and,
 * unless it is -1, the socket fd (it stays the caller's) attached, and waits for the answer, 10 s at most.
 * pid is that of the request, 0 for most (helper/wire.h). Gives up as soon as the descriptor `end` (-1: none)
 * can be read.
 *
 * Returns 0 and an answer, or -errno and none:
 *   -ENOENT, -ECONNREFUSED, -ECONNRESET  no helper is there, or it has just left
 *   -ETIMEDOUT  it did not answer
 *   -ECANCELED  `end` came before the answer
 *   -EPROTONOSUPPORT  it speaks another version
 *   -EBADMSG  what it said is not an answer
 *   -E2BIG  the text is longer than SKL_TEXT_MAX
 */
int client_ask_as(uint64_t instance, enum skl_kind kind, pid_t pid, const char *text, size_t length, int fd,
		  int end, struct client_answer *answer);

/* The same as no program. */
int client_ask(enum skl_kind kind, pid_t pid, const char *text, size_t length, int fd,
	       struct client_answer *answer);

/* Is that the error of a helper that is not there? */
int client_is_absent(int err);

/* Complains that client_ask() failed with -errno. */
void client_complain(int err);

/* What goes on all the same after this failure, as the end of a sentence, or "": a helper that is gone leaves
 * its coverage. */
const char *client_left(int err);

#endif
