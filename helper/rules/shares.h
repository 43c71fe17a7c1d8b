/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The registry of shares: one socket, or some, that several programs of a user
 * serve under a name (SKL_SHARE). Pure: descriptors in it are only numbers, and
 * whoever takes something out closes them. Times are CLOCK_BOOTTIME in ms.
 */
#ifndef SKL_SHARES_H
#define SKL_SHARES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/rules/request.h"
#include "helper/rules/table.h"
#include "helper/say.h"

#define SHARE_SOCKETS	 64 /* of one share, and of all shares of one user who is not root */
#define SHARES_SOCKETS	 1024
#define SHARES_ROOT	 256 /* of them for root alone, however many users there are */
#define SHARE_PROCESSES	 128 /* of one share that are known; more may have its socket */
#define SHARES_PENDING	 256
#define PENDING_EACH	 16
#define PENDING_MS	 5000 /* so long nobody else founds the share */
#define SHARE_TRUST_MS	 2000 /* so long a process is believed to have the socket, until it is seen with it */
#define SHARE_REMNANT_MS 2000 /* of SO_REUSEPORT sockets, one without a process while others have some */

enum { NOT_OPEN = -1, OPEN_SOMEWHERE = -2 };

struct share_socket {
	uint64_t cookie; /* 0: this place is free */
	uint64_t inode;
	struct listener at; /* its address; without members */
	int fd;
	uint64_t orphan_since;	/* 0: a process has it */
	uint64_t last_instance; /* of the process that had it last */
	bool last_joined;	/* and whether that had called listen() */
};

struct share_process {
	int32_t pid;
	int pidfd;
	uint64_t instance; /* of the program, or 0 */
	uint64_t since;
	uint64_t trusted_until; /* for OPEN_SOMEWHERE */
	uint64_t joined;	/* a bit for each socket: its listen() or bind() came to us */
	bool claimed;		/* it asked by itself; else it was found with the socket */
	int fd[SHARE_SOCKETS];	/* where it has each socket open, as last seen */
	char program[16];
};

struct share {
	struct share *next;
	uint64_t id;
	uint32_t uid;
	uint64_t netns; /* inode number */
	char name[SHARE_NAME];
	uint64_t founder; /* instance; for coverage, all of the share are one program: this one */
	uint64_t hold_ms;
	struct share_socket sockets[SHARE_SOCKETS];
	struct share_process *processes[SHARE_PROCESSES]; /* the oldest first */
	size_t n_processes;
	uint64_t due;	      /* when it is to be looked after; 0: now */
	uint64_t rests_until; /* not before: it takes long */
	uint64_t took;	      /* ms, of the look that goes on */
	uint64_t shown_at;    /* when it was looked at last for somebody's `skl status` */
	uint64_t lost;	      /* sockets, as bits, that are looked for at all processes just now */
	unsigned int looks;   /* so often in vain */
	uint64_t search;      /* number of the next of these looks, or of the one that is not answered yet */
	bool unseen;	      /* it was said that who has its sockets cannot be seen */
};

/* A program that was told to bind a socket of its own, with which it is about to found a share, or to add to
 * one. */
struct share_pending {
	uint32_t uid;
	uint64_t netns;
	char name[SHARE_NAME];
	uint64_t instance;
	uint64_t cookie;
	struct listener at; /* what it was told to bind */
	int32_t pid;
	int pidfd;
	uint64_t until; /* it keeps others waiting */
};

struct shares {
	struct share *first;
	struct share_pending pending[SHARES_PENDING];
	size_t n_pending;
	uint64_t last_id;
};

/* What is known about a request. */
struct share_claim {
	uint32_t uid;	     /* of who asks */
	uint32_t socket_uid; /* of who made the socket */
	uint64_t netns, cookie, instance, now;
	int32_t pid;
	const char *name;
	const struct listener *at;
};

enum share_verdict {
	SHARE_NOT,  /* the socket is none of the share's business */
	SHARE_ADD,  /* it becomes one of the share's, which is to be made where there is none */
	SHARE_GIVE, /* the program gets the socket of that index; or, after listen(), has it already */
};

struct share *shares_find(const struct shares *all, uint32_t uid, uint64_t netns, const char *name);
struct share *shares_find_cookie(const struct shares *all, uint64_t cookie, size_t *index);
struct share_pending *shares_find_pending(struct shares *all, uint64_t cookie);

/*
 * Before bind(): which socket does the program get? Returns a verdict with *share (NULL where there is none
 * yet) and *index, or with the sentence in `s`
 *   -EAGAIN      another program is founding it
 *   -EADDRINUSE  another share has the address
 *   -EINVAL      the share has other addresses, and this program may not add one
 *   -EMFILE      too many
 */
int shares_judge_bind(struct shares *all, const struct share_claim *c, struct share **share, size_t *index,
		      struct say *s);

/*
 * After listen(), or bind() of UDP. As above, with -EACCES for a socket that somebody else made. Whose share
 * it is was decided at bind(): c->uid may change.
 */
int shares_judge_listen(struct shares *all, struct share_claim *c, struct share **share, size_t *index,
			struct say *s);

/* A share without sockets, or NULL when there is no memory. */
struct share *shares_add(struct shares *all, uint32_t uid, uint64_t netns, const char *name);
/* Takes it out and frees it; it has no process any more. */
void shares_remove(struct shares *all, struct share *share);

/* Returns the index; there is room (see above). */
size_t share_add_socket(struct share *share, uint64_t cookie, uint64_t inode, const struct listener *at,
			int fd);
/* All forget it. */
void share_remove_socket(struct share *share, size_t index);
bool share_is_empty(const struct share *share);

struct share_process *share_find_process(const struct share *share, int32_t pid);
/* NULL when there is no memory or no room for another. It has no socket yet. */
struct share_process *share_add_process(struct share *share, int32_t pid, int pidfd, uint64_t instance,
					uint64_t now);
/* Takes it out and frees it. */
void share_remove_process(struct share *share, struct share_process *p);

/* This process has the socket no more: whoever is found with it is likely to be its child. */
void share_note_last(struct share *share, const struct share_process *p, size_t index);

/*
 * The socket was given to this process (NULL: to one that cannot be watched), though it may not be seen with
 * it yet. What is looked for just now is looked for anew: a process that has it from this one is not to be
 * missed.
 */
void share_note_given(struct share *share, struct share_process *p, size_t index, uint64_t now);

/* How many known processes have this socket. */
size_t share_holders(const struct share *share, size_t index);

/* Notes for each socket since when no process has it. Returns whether there is one that has none. */
bool share_note_orphans(struct share *share, uint64_t now);

/* When a socket without a process is to be closed; 0: never, it has one. */
uint64_t share_closes_at(const struct share *share, size_t index);

/* Notes that a program was told to bind its own socket. Returns a place with pidfd -1, or NULL: no room. */
struct share_pending *shares_note_pending(struct shares *all, const struct share_claim *c);
/* The last one takes its place. */
void shares_remove_pending(struct shares *all, struct share_pending *p);

#endif
