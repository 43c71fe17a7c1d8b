/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One socket, many processes (SKL_SHARE), and open for a while without any
 * (SKL_HOLD).
 *
 * The helper keeps a copy of a share's sockets, and gives it to further programs
 * of the same user that bind the same address. It lets go when no process has
 * the socket any more: that is asked of /proc, since servers fork and exit as
 * they like. Nothing of a share is lost with a process, so none is the master.
 */
#ifndef SKL_SHARE_H
#define SKL_SHARE_H

#include <stdio.h>
#include <sys/types.h>

#include "helper/datapath/listener.h"
#include "helper/rules/shares.h"
#include "helper/server/peer.h"
#include "helper/wire.h"

struct sharing {
	struct shares all;
	int epoll;     /* readable when a process has ended that matters to a share */
	pid_t manager; /* the service manager that keeps copies of our sockets, or 0: see share_store.c */
};

/* Takes over what the service manager has kept for us. 0 or -errno. */
int share_open(struct sharing *sharing);

/* Closes everything. What the service manager keeps stays there. */
void share_close(struct sharing *sharing);

/* What was done. */
struct share_step {
	int verdict;
	struct share *share; /* whose program it is, even if the socket is none of it; or NULL */
	size_t index;
	pid_t pid;
};

/*
 * Before bind() of a socket (the caller's) that is to be as `received`. Returns
 * 0 with *fd, the descriptor for the program (the caller's to close), or -1: it
 * is to bind its own. Or -errno with the sentence.
 */
int share_join(struct sharing *sharing, const struct peer *peer, const struct skl_request *request,
	       const struct request *wanted, const struct received *received, int sock, int *fd,
	       struct share_step *step, struct say *s);

/*
 * After listen(), or bind() of UDP: the socket (the caller's) belongs to the
 * share that `wanted` names from now on. Returns 0, or -errno with the sentence.
 */
int share_listen(struct sharing *sharing, const struct peer *peer, const struct skl_request *request,
		 const struct request *wanted, const struct received *received, int sock,
		 struct share_step *step, struct say *s);

/* It does not after all. */
void share_undo(struct sharing *sharing, const struct share_step *step);

bool share_none(const struct sharing *sharing);

/* A process has ended that had a socket of a share: share_tend() is wanted at once. */
void share_event(struct sharing *sharing);

/* Looks after all shares. Returns the ms after which it wants to be called again, or -1. */
int share_tend(struct sharing *sharing);

/* Writes the records of the shares that this peer may see: root everything, others their own. */
void share_status(struct sharing *sharing, FILE *out, const struct peer *peer);

#endif
