// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/intact.h"

#include <netinet/in.h>

#include "helper/datapath/nodes.h"

/* Ids are counted up one by one: so many nobody has used. */
#define ID_MAX (UINT64_MAX / 2)

static bool intact_node(const struct skl_tables *t, int family, uint16_t node)
{
	uint32_t target = node_target(t, family, node);
	uint32_t slot = target >> 16, binding = target & 0xffff;
	uint8_t bits = family == AF_INET ? t->nodes4[node].prefixlen : t->nodes6[node].prefixlen;
	uint8_t flags = family == AF_INET ? t->nodes4[node].flags : t->nodes6[node].flags;

	if (flags == SKL_NODE_TRIE)
		return target == 0 && node_next(t, family, node) == 0;
	return flags == 0 && slot > 0 && slot < SKL_SLOTS && binding < SKL_BINDINGS &&
	       bits <= (family == AF_INET ? 32 : 128);
}

/* What a node that was seen is: the first of its chain, or a later one. */
enum { FIRST = 1, LATER = 2 };

static bool intact_chain(const struct skl_tables *t, int family, uint16_t head, uint8_t seen[SKL_NODES])
{
	uint16_t node = head;

	if (head < SKL_NODES && seen[head] == FIRST)
		return true;
	for (size_t n = 0; node; n++) {
		if (n == SKL_INLINE || node >= SKL_NODES || seen[node] || !intact_node(t, family, node))
			return false;
		seen[node] = node == head ? FIRST : LATER;
		node = node_next(t, family, node);
	}
	return true;
}

static bool intact_words(const struct skl_tables *t, int family)
{
	uint8_t seen[SKL_NODES] = {0};

	for (size_t protocol = 0; protocol < 2; protocol++) {
		for (uint32_t port = 0; port < SKL_PORTS; port++) {
			if (!intact_chain(t, family, word_node(t->words[protocol][port], family), seen))
				return false;
		}
	}
	return true;
}

bool intact_tables(const struct skl_tables *t)
{
	if (t->last_id > ID_MAX)
		return false;
	for (uint32_t slot = 0; slot < SKL_SLOTS; slot++) {
		if (t->members[slot].next >= SKL_SLOTS)
			return false;
	}
	return intact_words(t, AF_INET) && intact_words(t, AF_INET6);
}

static bool is_family(uint8_t family)
{
	return family == AF_INET || family == AF_INET6;
}

static bool is_protocol(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

bool intact_member(const struct skl_tables *t, uint32_t slot, const struct skl_member_record *r)
{
	return slot > 0 && slot < SKL_SLOTS && r->listener > 0 && r->listener < SKL_SLOTS &&
	       r->listener_id <= t->last_id && is_family(r->family) && is_protocol(r->protocol) &&
	       r->port != 0;
}

bool intact_binding(const struct skl_tables *t, uint32_t index, const struct skl_binding_record *r)
{
	if (index == SKL_OWN || index >= SKL_BINDINGS || r->id > t->last_id || !is_family(r->family) ||
	    !is_protocol(r->protocol) || r->port_first == 0 || r->port_first > r->port_last ||
	    r->prefixlen > (r->family == AF_INET ? 32 : 128))
		return false;
	for (unsigned int bit = r->prefixlen; bit < 128; bit++) {
		if (r->address[bit / 8] >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}
