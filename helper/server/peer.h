/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is asking: only what the kernel says. */
#ifndef SKL_PEER_H
#define SKL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct peer {
	uid_t uid; /* as of connect(), and so are the groups */
	gid_t gid;
	gid_t *groups; /* supplementary */
	size_t n_groups;
	pid_t pid;	  /* decoration; 0 when it is not visible from here */
	int pidfd;	  /* the process that connected, or -1 */
	char program[16]; /* decoration: its name now, or nothing */
};

/* Reads who connected to the socket `conn`: uid, gid, groups, pid. 0 or -errno; peer_close() in any case. */
int peer_identify(int conn, struct peer *out);

/* And which process that is, now that it asks for something: pidfd and program. */
void peer_find_process(int conn, struct peer *p);

void peer_close(struct peer *p);

/* Is that process there, and the peer's own, or anybody's and the peer root? Then `program` is its name. */
bool peer_owns(const struct peer *p, pid_t pid, char program[16]);

/*
 * Has it this capability (CAP_...) over the network namespace `netns` (a
 * descriptor), in the user namespace that owns it, as ns_capable() in the
 * kernel would see it? A peer that is gone has none.
 */
bool peer_is_capable(const struct peer *p, int netns, int capability);

#endif
