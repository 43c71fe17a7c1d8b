// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/intact.h"

#include <netinet/in.h>

#include "helper/datapath/nodes.h"

/* Ids are counted up one by one: so many nobody has used. */
#define ID_MAX (UINT64_MAX / 2)

static bool intact_target(uint16_t slot, uint16_t binding, uint8_t bits, uint8_t most)
{
	return slot > 0 && slot < SKL_SLOTS && binding < SKL_BINDINGS && bits <= most;
}

static bool intact_node(const struct skl_tables *t, int family, uint16_t node)
{
	const struct skl_node4 *v4 = &t->nodes4[node];
	const struct skl_node6 *v6 = &t->nodes6[node];

	if (family == AF_INET)
		return v4->flags == 0 && intact_target(v4->slot, v4->binding, v4->prefixlen, 32);
	return v6->flags == 0 && intact_target(v6->slot, v6->binding, v6->prefixlen, 128);
}

static bool intact_trie_node(const struct skl_tables *t, int family, uint16_t node)
{
	union node expected;

	node_make_trie(&expected, family);
	return node_is(t, family, node, &expected);
}

/* Chains may end alike, in the same nodes. */
static bool intact_chain(const struct skl_tables *t, int family, uint16_t head)
{
	uint16_t node = head;

	if (head < SKL_NODES && node_is_trie(t, family, head))
		return intact_trie_node(t, family, head);
	for (size_t n = 0; node; n++) {
		if (n == SKL_INLINE || node >= SKL_NODES || !intact_node(t, family, node))
			return false;
		node = node_next(t, family, node);
	}
	return true;
}

static bool intact_words(const struct skl_tables *t, int family)
{
	bool seen[SKL_NODES] = {0};

	for (size_t protocol = 0; protocol < 2; protocol++) {
		for (uint32_t port = 0; port < SKL_PORTS; port++) {
			uint16_t head = word_node(t->words[protocol][port], family);

			if (head < SKL_NODES && seen[head])
				continue;
			if (!intact_chain(t, family, head))
				return false;
			seen[head] = true;
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
