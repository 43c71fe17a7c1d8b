/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One network namespace that has coverage: what is known about it (the table)
 * together with what the kernel was told (the datapath).
 */
#ifndef SKL_SPACE_H
#define SKL_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/datapath/datapath.h"
#include "helper/rules/table.h"

struct space {
	struct space *next;
	uint64_t netns_ino;
	struct table table;
	struct datapath *datapath;
	int diag;	      /* sock_diag socket of the namespace while wide bindings are watched, or -1 */
	int netns;	      /* the namespace while UDP answers leave it as they should, or -1 */
	uint64_t empty_since; /* ms; 0 while there is a listener */
};

struct spaces {
	const char *base; /* directory of the pins */
	struct space *first;
};

/* Takes over what earlier helpers pinned below `base`. What cannot be read is logged and left alone. */
void spaces_adopt(struct spaces *s);

/* Closes everything; coverage stays in place. */
void spaces_close(struct spaces *s);

/* Removes all that is pinned, and the base directory. */
void spaces_remove(struct spaces *s);

bool spaces_empty(const struct spaces *s);

/*
 * The space of the namespace `netns` (a descriptor, the caller's) with this
 * inode number, made where there is none. 0 or -errno.
 */
int spaces_get(struct spaces *s, int netns, uint64_t netns_ino, struct space **out);

/* Lists anew who holds ports, with this sock_diag socket (the caller's), and lets wide bindings give way. 0
 * or -errno. */
int space_look(struct space *s, int diag, bool udp_too);

/*
 * Lets UDP answers leave from the address and port that the client asked, from
 * now on and until no UDP listener is left. netns is the caller's. 0 or -errno.
 */
int space_start_replies(struct space *s, int netns);

/*
 * Looks after everything: forgets listeners that are gone, lets wide bindings
 * give way, removes what is empty for long. Returns the milliseconds after
 * which it wants to be called again, or -1 when nothing needs watching.
 */
int spaces_tick(struct spaces *s);

/* Is a member alive? What is not is taken out of the map and marked dead; forgets nothing. */
bool space_listener_alive(struct space *s, struct listener *l);

/* Forgets all listeners that are gone. */
void space_sweep(struct space *s);

/* Ends all coverage of a listener and forgets it. */
void space_forget_listener(struct space *s, struct listener *l);

/* Ends all bindings of the listener or, where it is NULL, those with ids above `after`. */
void space_forget_bindings(struct space *s, const struct listener *l, uint64_t after);

bool space_has_wide(const struct space *s);

/* CLOCK_BOOTTIME in nanoseconds: times in the maps outlive the helper. */
uint64_t boottime_ns(void);

#endif
