/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What takes more privilege than the helper itself keeps is done by a process
 * of its own, the broker: it alone keeps CAP_SYS_ADMIN, and never sees a byte
 * that comes from a user. It is asked with numbers and descriptors (and with
 * names from the administrator's policy file), and answers with them.
 */
#ifndef SKL_BROKER_H
#define SKL_BROKER_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/datapath/routes.h"
#include "helper/rules/prefix.h"

enum broker_order {
	BROKER_LOOK =
		1,     /* fd: a network namespace. Answers with a NETLINK_SOCK_DIAG socket of it, and ports */
	BROKER_FIND,   /* number: inode of a network namespace. Answers with a descriptor of it */
	BROKER_ATTACH, /* fd: a network namespace, second: the reply program, for its interfaces */
	BROKER_DETACH, /* fd: a network namespace, whose interfaces lose the reply program */
	/* These two on behalf of uid; -EINPROGRESS and -EAGAIN: to be asked again. */
	BROKER_HOLDERS, /* fd: a question (holders.h), second: a file for those who have these sockets open */
	BROKER_POLLED,	/* fd: a question. Has this process the socket in an epoll instance? -EBUSY: it has */
	BROKER_POLICY,	/* answers with a descriptor of the policy file, open for reading */
	BROKER_USER,	/* name: of a user. Answers with the id */
	BROKER_GROUP,	/* name: of a group. Answers with the id */
	BROKER_PROCESS, /* pid. Answers with the user whose it is and its name, as of now; -ESRCH: not to be
			   seen */
	/*
	 * fd: a pidfd, second: a network namespace. Has the process, which is pid and was uid's when it
	 * connected, the capability `number` over it? Answers with `yes`, see broker_is_capable().
	 */
	BROKER_CAPABLE,
	BROKER_MAKE, /* number: which of the objects of datapath/load.h, from the first on. Answers with it */
	BROKER_MAKE_REPLY,    /* fd, second: the maps that load_reply() wants. Answers with the program */
	BROKER_TRACED_MAP,    /* fd: the map `number` of load_traced(), one after the other */
	BROKER_MAKE_TRACED,   /* number: which of its objects, from the first on. Answers with it */
	BROKER_UNLINK_SOCKET, /* the helper's own, which it made */
	BROKER_REMOVE_STATE,  /* the directory of the pins, if it is empty */

	/* fd: a network namespace, prefix: see datapath/routes.h */
	BROKER_ROUTE_LOOK,    /* Answers with what becomes of the prefix */
	BROKER_ROUTE_ADD,     /* for the prefix */
	BROKER_ROUTE_DELETE,  /* of the prefix */
	BROKER_ROUTE_LIST,    /* Answers with prefixes, without the first `number` */
	BROKER_ROUTE_CROWDED, /* Answers with prefixes, the first that there are */
};

/* What the broker finds at its start; the strings must last. */
struct broker_paths {
	const char *socket, *state, *policy;
};

struct broker_request {
	uint32_t order;
	uint32_t has_second; /* another descriptor follows in a message of its own: one carries one */
	uint64_t number;
	uint64_t serial; /* broker_call() counts them */
	char name[64];	 /* NUL-terminated */
	int32_t pid;
	uint32_t uid;
	struct prefix prefix;
};

#define BROKER_PREFIXES 16 /* most in one answer */

struct broker_answer {
	int32_t error; /* 0 or -errno */
	uint32_t first_free_port;
	uint16_t first_local_port, last_local_port;
	uint64_t serial; /* of the request: where one side failed to send or to receive, they get in step
			    again */
	uint32_t uid;
	uint32_t id;
	uint32_t yes;
	char name[16];
	struct routes_view route;
	uint32_t n_prefixes;
	struct prefix prefixes[BROKER_PREFIXES];
};

/*
 * Starts the broker; it ends when this process does. It gives up what it does
 * not need before it hears the first order; where it cannot, broker_fd() is
 * readable. 0 or -errno.
 */
int broker_start(const struct broker_paths *paths);

/*
 * Readable once the broker has ended, which it never should: without it no
 * claim can be judged. An answer that could not be received makes it readable, too.
 */
int broker_fd(void);
bool broker_has_ended(void);

/*
 * Gives an order and waits for the answer. The descriptors, or -1, stay the
 * caller's. *got becomes the descriptor that came with the answer (the caller's
 * to close), or -1. Returns 0 or -errno: the broker's, or that of asking it.
 */
int broker_call(struct broker_request *request, int fd, int second, struct broker_answer *answer, int *got);

#endif
