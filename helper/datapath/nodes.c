// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/nodes.h"

#include <arpa/inet.h>
#include <endian.h>
#include <string.h>

uint16_t node_next(const struct skl_tables *t, int family, uint16_t node)
{
	return family == AF_INET ? t->nodes4[node].next : t->nodes6[node].next;
}

/* What tells targets apart: own bindings have no number, but another slot each. */
static uint32_t target(uint16_t slot, uint16_t binding)
{
	return (uint32_t)slot << 16 | binding;
}

bool node_is_trie(const struct skl_tables *t, int family, uint16_t node)
{
	return (family == AF_INET ? t->nodes4[node].flags : t->nodes6[node].flags) & SKL_NODE_TRIE;
}

uint16_t node_slot_of(const struct binding *b)
{
	return b->listener->members[0].slot;
}

uint32_t node_target_of(const struct binding *b)
{
	return target(node_slot_of(b), b->index);
}

void node_make(union node *n, int family, const struct binding *b, uint16_t next)
{
	const struct prefix *p = &b->rule.prefix;
	uint32_t v4;
	uint64_t half[2];

	*n = (union node){0};
	if (family == AF_INET) {
		memcpy(&v4, p->address, sizeof(v4));
		n->v4 = (struct skl_node4){
			.address = ntohl(v4),
			.slot = node_slot_of(b),
			.binding = b->index,
			.next = next,
			.prefixlen = p->length,
		};
		return;
	}
	memcpy(half, p->address, sizeof(half));
	n->v6 = (struct skl_node6){
		.high = be64toh(half[0]),
		.low = be64toh(half[1]),
		.slot = node_slot_of(b),
		.binding = b->index,
		.next = next,
		.prefixlen = p->length,
	};
}

void node_make_trie(union node *n, int family)
{
	*n = (union node){0};
	if (family == AF_INET)
		n->v4.flags = SKL_NODE_TRIE;
	else
		n->v6.flags = SKL_NODE_TRIE;
}

/* No byte of a node is padding. */
_Static_assert(sizeof(struct skl_node4) == 12 && sizeof(struct skl_node6) == 24,
	       "nodes are compared as bytes");

size_t node_size(int family)
{
	return family == AF_INET ? sizeof(struct skl_node4) : sizeof(struct skl_node6);
}

const void *node_at(const struct skl_tables *t, int family, uint16_t node)
{
	return family == AF_INET ? (const void *)&t->nodes4[node] : &t->nodes6[node];
}

bool node_is(const struct skl_tables *t, int family, uint16_t node, const union node *other)
{
	return memcmp(node_at(t, family, node), other, node_size(family)) == 0;
}

void node_write(struct skl_tables *t, int family, uint16_t node, const union node *n)
{
	if (family == AF_INET)
		t->nodes4[node] = n->v4;
	else
		t->nodes6[node] = n->v6;
}

uint16_t word_node(uint32_t word, int family)
{
	return (uint16_t)(family == AF_INET ? SKL_WORD_NODE4(word) : SKL_WORD_NODE6(word));
}

uint32_t word_with(uint32_t word, int family, uint16_t node)
{
	return family == AF_INET ? SKL_WORD(node, SKL_WORD_NODE6(word))
				 : SKL_WORD(SKL_WORD_NODE4(word), node);
}
