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
	uint32_t uid; /* for whom it was made */
	struct table table;
	struct datapath *datapath;
	int diag;		  /* sock_diag socket of the namespace while it has bindings, or -1 */
	int netns;		  /* the namespace while UDP answers leave it as they should, or -1 */
	int routed;		  /* the namespace while local routes of ours are there, or -1 */
	uint64_t watch_routes_at; /* ns: not before */
	uint64_t watch_replies_at;
	uint64_t empty_since; /* ms; 0 while there is a listener */
	bool unwritten;	      /* some ports do not get what the table says: to be tried again */
	uint64_t looked_at;   /* ms; when the holders of its ports were listed */
	/*
	 * Taken over from another helper, and who holds its ports is not known: what
	 * is written stays as it is, for without that a range would take their ports.
	 */
	bool blind;
};

/* Lists anew who holds ports, with this sock_diag socket (the caller's), and lets wide bindings give way. 0
 * or -errno. */
int space_look(struct space *s, int diag, bool udp_too, bool bound_too);

/* The space takes this sock_diag socket if it wants one, else it is closed. */
void space_keep_diag(struct space *s, int diag);

/* As space_look() with its own socket, if it was not done a moment ago. */
void space_look_again(struct space *s);

/*
 * Lets UDP answers leave from the address and port that the client asked, from
 * now on and until no UDP listener is left. netns is the caller's. 0 or -errno.
 */
int space_start_replies(struct space *s, int netns);

/*
 * Looks after it: forgets listeners that are gone, lets wide bindings give way,
 * finds new interfaces. Returns the ms after which it should be called again.
 */
int space_tend(struct space *s);

/* After datapath_adopt(): finishes what an earlier helper may have left half done. */
void space_catch_up(struct space *s);

/* An empty one, without a datapath; NULL when there is no memory. */
struct space *space_new(uint64_t netns_ino, uint32_t uid);

/* Frees it; its coverage stays in place. */
void space_close(struct space *s);

/* Ends all coverage and frees it. */
void space_remove(struct space *s);

/* Is a member alive? What is not is taken out of the map and marked dead; forgets nothing. */
bool space_listener_alive(struct space *s, struct listener *l);

/* Forgets all listeners that are gone. */
void space_sweep(struct space *s);

/* Ends all coverage of a listener and forgets it. */
void space_forget_listener(struct space *s, struct listener *l);

/* Ends all bindings of the listener or, where it is NULL, those with ids above `after`. */
void space_forget_bindings(struct space *s, const struct listener *l, uint64_t after);

/* Ends one. */
void space_forget_binding(struct space *s, struct binding *b);

bool space_has_wide(const struct space *s);

/* CLOCK_BOOTTIME: times in the maps outlive the helper. */
uint64_t boottime_ns(void);
uint64_t boottime_ms(void);

#endif
