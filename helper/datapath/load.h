/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes maps and loads programs. That is the broker's work: whoever may load
 * programs is not to read what clients send. It takes CAP_SYS_ADMIN or
 * CAP_PERFMON, too: without them the verifier takes only programs that check
 * their own speculation, which ours would pay for with each packet.
 */
#ifndef SKL_LOAD_H
#define SKL_LOAD_H

#include <stdbool.h>

enum load_object {
	LOAD_TABLES,
	LOAD_SOCKETS,
	LOAD_TRIE,
	LOAD_LOOKUPS,
	LOAD_EVENTS,
	LOAD_MEMBERS,
	LOAD_BINDINGS,
	LOAD_FLOWS,
	LOAD_MAPS, /* how many of them are maps */
	LOAD_DISPATCH = LOAD_MAPS,
	LOAD_PROBE,
	LOAD_OBJECTS /* how many */
};

/* The maps and programs of one namespace, as descriptors that are the caller's. 0 or -errno. */
int load_dispatch(int fds[LOAD_OBJECTS]);

/*
 * Loads the programs over maps that there are already. `maps` stay the caller's;
 * *dispatch and *probe are descriptors that are his from now on. 0 or -errno.
 */
int load_over(const int maps[LOAD_MAPS], bool has_ingress_ifindex, int *dispatch, int *probe);

/* What watchers of decisions need. */
enum load_traced {
	TRACED_PROGRAM,	  /* takes the place of LOAD_DISPATCH */
	TRACED_DECISIONS, /* the ring buffer */
	TRACED_WATCH,	  /* struct skl_watch */
	TRACED_OBJECTS,
};

/* Loads them over maps that there are already, which stay the caller's, as `made` become his. 0 or -errno. */
int load_traced(const int maps[LOAD_MAPS], int made[TRACED_OBJECTS]);

/*
 * What UDP answers need: makes the memory of flows and puts it into the array
 * `flows`, unless one is there, and loads the program that uses it and `tables`. Returns the
 * program's descriptor, which is the caller's, or -errno.
 */
int load_reply(int tables, int flows);

#endif
