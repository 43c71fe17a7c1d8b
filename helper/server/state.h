/* SPDX-License-Identifier: BSD-2-Clause */
/* What the server works with, for server.c and setup.c alone. */
#ifndef SKL_SERVER_STATE_H
#define SKL_SERVER_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

#include "helper/server/arrivals.h"
#include "helper/server/connections.h"
#include "helper/server/expected.h"
#include "helper/server/server.h"
#include "helper/tracing.h"

struct server {
	struct spaces *spaces; /* these three are the caller's */
	struct sharing *sharing;
	struct policy_file *policy;
	bool exit_idle;
	bool inherited;				      /* the socket is the service manager's */
	char address[sizeof(struct sockaddr_un) + 1]; /* of the socket */
	int epoll, signals;
	struct connections connections;
	struct arrivals arrivals; /* with the socket */
	struct expected expected;
	uint64_t idle_since, next_tick; /* ms; 0: not idle, never */
	struct tracing tracing;
	uint64_t next_tracing; /* ms: when watchers are told; 0: there are none */
	uint64_t next_shares;  /* when shares are looked after; 0: never */
	uint64_t served;       /* ms: when a request was served last */
};

#endif
