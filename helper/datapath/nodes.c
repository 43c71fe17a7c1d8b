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

uint32_t node_target(const struct skl_tables *t, int family, uint16_t node)
{
	const struct skl_node4 *v4 = &t->nodes4[node];
	const struct skl_node6 *v6 = &t->nodes6[node];

	return family == AF_INET ? target(v4->slot, v4->binding) : target(v6->slot, v6->binding);
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

void node_write(struct skl_tables *t, int family, uint16_t node, const struct binding *b, uint16_t next)
{
	const struct prefix *p = &b->rule.prefix;
	uint32_t v4;
	uint64_t half[2];

	if (family == AF_INET) {
		memcpy(&v4, p->address, sizeof(v4));
		t->nodes4[node] = (struct skl_node4){
			.address = ntohl(v4),
			.slot = node_slot_of(b),
			.binding = b->index,
			.next = next,
			.prefixlen = p->length,
		};
		return;
	}
	memcpy(half, p->address, sizeof(half));
	t->nodes6[node] = (struct skl_node6){
		.high = be64toh(half[0]),
		.low = be64toh(half[1]),
		.slot = node_slot_of(b),
		.binding = b->index,
		.next = next,
		.prefixlen = p->length,
	};
}

void node_write_trie(struct skl_tables *t, int family, uint16_t node)
{
	if (family == AF_INET)
		t->nodes4[node] = (struct skl_node4){.flags = SKL_NODE_TRIE};
	else
		t->nodes6[node] = (struct skl_node6){.flags = SKL_NODE_TRIE};
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
