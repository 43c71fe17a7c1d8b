/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each port gets, as the packet path reads it: words, chains of nodes
 * and, for ports with many prefixes, the trie (bpf/maps.h). Ports with the
 * same answer share a class, which is a chain known by its first node.
 */
#ifndef SKL_CLASSES_H
#define SKL_CLASSES_H

#include <stdint.h>

#include "bpf/maps.h"
#include "helper/datapath/pool.h"
#include "helper/rules/table.h"

struct class
{
	uint32_t ports;	   /* words that lead to it */
	uint32_t hash;	   /* of its bindings */
	uint16_t next;	   /* in the bucket */
	uint16_t n;	   /* bindings; 0 for a class in the trie that an earlier helper made */
	uint32_t *in_trie; /* its targets (slot and binding) where it is in the trie, else NULL */
};

#define CLASS_BUCKETS 4096

struct family_classes {
	struct pool nodes;
	struct class *classes; /* by first node */
	uint16_t buckets[CLASS_BUCKETS];
	uint16_t leaving[SKL_NODES]; /* first nodes of classes in the trie that no word leads to any more */
	size_t n_leaving;
};

struct classes {
	struct skl_tables *tables; /* memory-mapped; not owned */
	int trie;		   /* not owned */
	struct family_classes v4, v6;
};

/* Over tables that may already hold what an earlier helper wrote. 0 or -errno. */
int classes_init(struct classes *c, struct skl_tables *tables, int trie);
void classes_clear(struct classes *c);

/*
 * From now on the ports first..last get these bindings, in this order; n == 0:
 * the ordinary lookup. A packet sees the old answer or the new one, never a
 * mixture. Returns 0, -ENOSPC when the nodes are used up (what was written
 * stays), or -errno.
 */
int classes_write(struct classes *c, uint8_t protocol, int family, uint16_t first, uint16_t last,
		  const struct binding *const *order, size_t n);

/* To be called after writing: what is not reached any more leaves the trie, all at once. */
void classes_settle(struct classes *c);

#endif
