/* SPDX-License-Identifier: BSD-2-Clause */
/* Nodes and words of the tables. The two families differ only in the form of a node: here, and nowhere else.
 */
#ifndef SKL_NODES_H
#define SKL_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/maps.h"
#include "helper/rules/table.h"

uint16_t node_next(const struct skl_tables *t, int family, uint16_t node);
bool node_is_trie(const struct skl_tables *t, int family, uint16_t node);

/* What tells targets apart: slot and binding, since own bindings have no number, but another slot each. */
uint32_t node_target_of(const struct binding *b);

/* The slot that stands for the binding's listener. */
uint16_t node_slot_of(const struct binding *b);

/* A node as bytes: those of two equal nodes are equal. */
union node {
	struct skl_node4 v4;
	struct skl_node6 v6;
};

void node_make(union node *n, int family, const struct binding *b, uint16_t next);
void node_make_trie(union node *n, int family);
bool node_is(const struct skl_tables *t, int family, uint16_t node, const union node *other);
void node_write(struct skl_tables *t, int family, uint16_t node, const union node *n);
/* Both for the node's family; the bytes are those of node_size(). */
const void *node_at(const struct skl_tables *t, int family, uint16_t node);
size_t node_size(int family);

/* The family's half of a word, and the word with another. */
uint16_t word_node(uint32_t word, int family);
uint32_t word_with(uint32_t word, int family, uint16_t node);

#endif
