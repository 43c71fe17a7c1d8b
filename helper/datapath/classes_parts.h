/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of classes, for classes.c alone: those that are in the trie (tries.c). */
#ifndef SKL_CLASSES_PARTS_H
#define SKL_CLASSES_PARTS_H

#include <sys/socket.h>

#include "helper/datapath/classes.h"
#include "helper/datapath/nodes.h"

static inline struct family_classes *family_of(struct classes *c, int family)
{
	return family == AF_INET ? &c->v4 : &c->v6;
}

/* FNV-1a */
#define HASH_START 2166136261u

static inline uint32_t hash_bytes(uint32_t hash, const void *bytes, size_t n)
{
	for (const uint8_t *at = bytes; n > 0; n--, at++)
		hash = (hash ^ *at) * 16777619u;
	return hash;
}

/* Nodes are found by what they are. A class of the trie that an earlier helper made is not. */
void class_hash_in(struct classes *c, int family, uint16_t node);
void class_hash_out(struct classes *c, int family, uint16_t node);

/* ---- tries.c ---- */

uint32_t trie_hash(const struct trie_class *class);

/* The class that has these bindings, or 0. */
uint16_t trie_find(struct classes *c, int family, const struct binding *const *order, size_t n);

/* Takes a node for such a class and fills the trie. 0 or -errno. */
int trie_make(struct classes *c, int family, const struct binding *const *order, size_t n, uint16_t *node);

/*
 * Makes it the class of these bindings, key by key: for each address a packet sees
 * the old answer or the new one. Not for one that an earlier helper made. 0, or
 * -errno, and then it is as it was.
 */
int trie_change(struct classes *c, int family, uint16_t node, const struct binding *const *order, size_t n);

/* Over tables that have been taken over: no class that is made from now on has keys of one that nobody
 * reached. */
void tries_forget_unreached(struct classes *c);

/* No word leads to it any more: until classes_settle(). */
void trie_leave(struct classes *c, int family, uint16_t node);

#endif
