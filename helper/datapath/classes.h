/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What each port gets, as the packet path reads it: words, chains of nodes
 * and, for ports with many prefixes, the trie (bpf/maps.h). What a port gets
 * is its class, known by its first node. Equal nodes are one node: ports with
 * the same answer share a class, and those whose answers end alike the end.
 */
#ifndef SKL_CLASSES_H
#define SKL_CLASSES_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/maps.h"
#include "helper/datapath/pool.h"
#include "helper/rules/table.h"

struct trie_class;

struct node_use {
	uint32_t refs; /* words and nodes that lead to it */
	uint16_t next; /* in the bucket */
};

#define CLASS_BUCKETS 4096

struct family_classes {
	struct pool nodes;
	struct node_use *uses; /* by node */
	struct trie_class *
		*tries; /* by node: what the trie has of it; NULL also where an earlier helper made it */
	uint16_t buckets[CLASS_BUCKETS];
	uint16_t leaving[SKL_NODES]; /* nodes of classes in the trie that no word leads to any more */
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
 * From now on the ports first..last get these bindings, in this order, which is
 * that of table_rows(); n == 0: the ordinary lookup. A packet sees the old
 * answer or the new one, never a mixture. Returns 0, -ENOSPC when the nodes or
 * the trie are used up (what was written stays), or -errno.
 */
int classes_write(struct classes *c, uint8_t protocol, int family, uint16_t first, uint16_t last,
		  const struct binding *const *order, size_t n);

/* To be called after writing: what is not reached any more leaves the trie, all at once. */
void classes_settle(struct classes *c);

#endif
