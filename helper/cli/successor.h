/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program that is to take over a share: the process that was started, and all
 * that descends from it. Whichever of these has the socket is none of its choice:
 * a master may leave it to its workers, and a daemon's parent ends.
 */
#ifndef SKL_CLI_SUCCESSOR_H
#define SKL_CLI_SUCCESSOR_H

#include <stdbool.h>
#include <sys/types.h>

#include "helper/cli/members.h"

struct successor {
	const char *share;
	char **program;		   /* as for exec */
	const struct members *old; /* who was in the share before */
	pid_t child;		   /* once it has ended, status tells how */
	bool ended;
	int status;
};

/* Starts it as `skl run --share` does, in a session of its own. 0 or -errno. */
int successor_start(struct successor *s);

/* Notes how the child ended. Returns whether any process of it is left, which the caller is the subreaper of.
 */
bool successor_reap(struct successor *s);

/*
 * The main process, once one of its processes has the socket (and listens): of those that asked for it or
 * have it, the ancestor of that one, with its name. 0: there is none yet.
 */
pid_t successor_main(const struct successor *s, bool listens, char program[16]);

/* True, having complained, where it has failed by itself. One that ends well may have left a daemon. */
bool successor_has_failed(struct successor *s);

/* Sends a signal to all that came of it: its session, and what has left that and joined. */
void successor_signal(const struct successor *s, int number);

#endif
