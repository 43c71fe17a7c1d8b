/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has a socket open: what only the broker may see of other users' processes. */
#ifndef SKL_HOLDERS_H
#define SKL_HOLDERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* A process that has a socket open. */
struct holders_one {
	int32_t pid;
	int32_t fd;	  /* a descriptor of it that is the socket; in a question: look there first */
	int32_t parent;	  /* its parent process; in a question 0 */
	uint32_t socket;  /* index of the inode */
	char program[16]; /* its name; in a question nothing */
};

/*
 * What a question to the broker begins with; the inodes and those who are
 * known follow. For BROKER_POLLED it is one of each.
 */
#define HOLDERS_INODES 1024 /* most of each */
#define HOLDERS_KNOWN  8192

struct holders_question {
	uint64_t device; /* of the inodes, for BROKER_POLLED */
	uint64_t search; /* for BROKER_HOLDERS */
	uint32_t n_inodes;
	uint32_t n_known; /* 0: look at every process */
};

/*
 * Which of the known ones still have these sockets open, or where n_known is 0,
 * who has, of all processes but this one? *found is an array from malloc.
 * That is looked for on behalf of `uid`, whose processes come first. Returns 0,
 * or -errno, among them
 *   -EINPROGRESS, -EAGAIN  not known yet: to be asked again, with the same
 *                          `search`: the answer to another one is not taken
 *   -ETIME                 there is too much to look through
 */
int holders_find(uint32_t uid, uint64_t search, const uint64_t *inodes, size_t n_inodes,
		 const struct holders_one *known, size_t n_known, struct holders_one **found,
		 size_t *n_found);

/* Has the process put this socket into an epoll instance of its own? 0, -EBUSY if so, or as above. */
int holders_polled(uint32_t uid, pid_t pid, dev_t device, uint64_t inode);

#endif
