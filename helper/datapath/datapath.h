/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The maps, programs and link of one network namespace: the only user of BPF
 * in the helper. It does what it is told and decides nothing.
 *
 * Everything is pinned, and all that the next helper needs is in the maps, so
 * that a helper may die at any moment: traffic goes on.
 */
#ifndef SKL_DATAPATH_H
#define SKL_DATAPATH_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/datapath/classes.h"
#include "helper/datapath/load.h"
#include "helper/datapath/pins.h"
#include "helper/datapath/pool.h"
#include "helper/rules/table.h"

struct datapath {
	char path[PINS_PATH]; /* the directory of its pins */
	struct skl_tables *tables;
	int tables_fd, sockets, trie, lookups, events, member_records, binding_records;
	int flows; /* array of one map, which is there from datapath_start_replies() on */
	int dispatch, probe, link;
	int reply;	       /* the program, or -1 */
	struct traced *traced; /* or NULL where nobody watches */
	struct pool slots, bindings;
	struct classes classes;
};

/*
 * Makes the maps and loads the programs for the next datapath_create() (some
 * 20 ms of work), unless that was done. 0, or -errno of a kernel that cannot.
 */
int datapath_prepare(void);
void datapath_unprepare(void);

/*
 * Makes the maps, loads the programs, attaches them to the namespace `netns`
 * (a descriptor, the caller's) and pins all of it as `path`, in one step as
 * others see it. Returns 0 or -errno; *out is to be closed.
 */
int datapath_create(struct datapath **out, const char *path, int netns);

/*
 * Opens what is pinned as `path`, as it is, with nothing in use. Returns 0,
 * -EBADMSG when what is there is not what we pin, or not all of it, -EPROTO
 * when a version with other maps made it (both logged), or -errno.
 */
int datapath_open(struct datapath **out, const char *path);

/*
 * Takes over what is pinned as `path` for this namespace, and reads into the
 * empty table `t` what it says about listeners and bindings; what an earlier
 * helper left unfinished is undone, but for words, so datapath_refresh() is to
 * follow for every port. Programs of another version are replaced. Returns 0,
 * -ESTALE when the namespace is gone, or as datapath_open().
 */
int datapath_adopt(struct datapath **out, const char *path, uint64_t netns_ino, struct table *t);

/* Closes; what is pinned goes on working. */
void datapath_close(struct datapath *d);

/* Detaches, removes the pins and closes. Returns 0 or -errno of what could not be removed. */
int datapath_remove(struct datapath *d);

/* Can listeners that are bound to a device be covered? (kernel 5.17) */
bool datapath_knows_devices(const struct datapath *d);

/* ---- slots.c: the sockets of a listener ---- */

/*
 * Puts the socket `fd` (the caller's) into the SOCKMAP as a member of `l`,
 * which may be its first; a dead member's place is taken first. m->slot is
 * set and the member added to l. Returns 0, -ENOSPC, -EMFILE when the listener
 * has as many members as it can have, or what the kernel says.
 */
int datapath_add_member(struct datapath *d, struct listener *l, struct member *m, int fd);

/* Is the member's socket in the map and would the packet path choose it? */
bool datapath_member_alive(const struct datapath *d, const struct member *m);

/* Takes a socket out of the SOCKMAP (where it may not be any more); the member keeps its place. */
void datapath_drop_socket(struct datapath *d, const struct member *m);

/* Is the member's socket in the map, in whatever state: has it not been closed? */
bool datapath_member_open(const struct datapath *d, const struct member *m);

/* Takes all members out of the SOCKMAP and forgets their records; l's bindings must be gone. */
void datapath_remove_listener(struct datapath *d, const struct listener *l);

/* ---- datapath.c ---- */

/* Forgets what is recorded or counted of numbers that nobody uses. */
void datapath_forget_unused(struct datapath *d);

/* What is given an id in between counts only when it has ended: a helper that dies before leaves it to be
 * undone. */
void datapath_begin_claim(struct datapath *d);
void datapath_end_claim(struct datapath *d);

/* Gives the binding its number, with counters at zero, and records it. It gets packets after
 * datapath_refresh(). */
int datapath_add_binding(struct datapath *d, struct binding *b);
/* Remembers whether the binding keeps a local route. 0 or -errno, then it is as before. */
int datapath_record_routed(struct datapath *d, struct binding *b, bool routed);
/* To be called when no port leads to them any more. */
void datapath_remove_bindings(struct datapath *d, struct binding *const *gone, size_t n);

/* Writes what the table says about these ports. 0, -ENOSPC or -errno. */
int datapath_refresh(struct datapath *d, const struct table *t, const struct rule *r);

/* From now on these ports, in the rule's family, get the ordinary lookup; this needs no room. 0 or -errno. */
int datapath_clear(struct datapath *d, const struct rule *r);

/* Has the namespace gone that it was made for? 1, 0, or -errno where that cannot be told. */
int datapath_is_stale(const struct datapath *d);

/*
 * Makes what UDP answers need, unless it is there: the memory of flows and the
 * reply program. Returns the program's descriptor (it stays the datapath's), to
 * be attached to interfaces, or -errno.
 */
int datapath_start_replies(struct datapath *d);
void datapath_stop_replies(struct datapath *d);

/* Are they there, perhaps by an earlier helper? */
bool datapath_has_replies(const struct datapath *d);

/* ---- counters.c: what the programs count ---- */

/* What went otherwise than it should, by binding. */
struct datapath_events {
	uint64_t misses, errors;
};

/* How many packets this binding has decided. */
uint64_t datapath_lookups(const struct datapath *d, const struct binding *b);

/* The events of all bindings, an array by their numbers (SKL_BINDINGS of them) to be freed, or NULL. */
struct datapath_events *datapath_read_events(const struct datapath *d);

/* Of a binding's errors those with this errno. */
uint64_t datapath_errors(const struct datapath *d, const struct binding *b, int error);

/* ---- traced.c: decisions, as they are made ---- */

/* From now on the decisions that the watch asks for are written down. 0 or -errno. */
int datapath_trace(struct datapath *d);
/* And no longer: nothing of it stays. */
void datapath_untrace(struct datapath *d);
/* Which; NULL while it is not traced. */
struct skl_watch *datapath_watch(struct datapath *d);
/* Calls `one` for what was written since the last time, but for `most` decisions at most. */
typedef void decision_row(void *context, const struct skl_decision *d);
void datapath_read_decisions(struct datapath *d, size_t most, decision_row *one, void *context);

/* All of its maps, which stay its own. */
void datapath_maps(const struct datapath *d, int maps[LOAD_MAPS]);

/* A fresh id for a listener or binding, unique among all namespaces that this helper knows. */
uint64_t datapath_next_id(struct datapath *d);
uint64_t datapath_last_id(const struct datapath *d);

#endif
