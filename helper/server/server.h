/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper's socket: connections, one request each, and the processes that are expected to claim. */
#ifndef SKL_SERVER_H
#define SKL_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

#include "helper/policy_file.h"
#include "helper/share.h"
#include "helper/spaces.h"

struct server_options {
	const char *path; /* of the socket */
	mode_t mode;
	const char *group; /* gets the socket, where it exists; NULL: root's */
	bool exit_idle;	   /* leave when no coverage and no expected process is left */
};

struct server;

/*
 * Binds the socket, unless the service manager has passed one: when this
 * returns 0, requests are accepted. Returns -EADDRINUSE when another helper
 * answers there, or -errno. A socket file that nobody answers at is replaced.
 * The policy is read again on SIGHUP.
 */
int server_open(struct server **out, const struct server_options *options, struct policy_file *policy,
		struct spaces *spaces, struct sharing *sharing);

/* The process that listens at this socket: 0, nobody does; -1, one that cannot be named. */
pid_t server_answering(const char *path);

/* Serves until a signal (returns 0), until idle with exit_idle (returns 1), or until -errno. */
int server_run(struct server *s);

/* The path of the socket. */
const char *server_address(const struct server *s);

/* Removes the socket, if it made it, and closes. */
void server_close(struct server *s);

#endif
