// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/classes.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "helper/datapath/classes_parts.h"
#include "helper/fault.h"

static uint32_t hash_of(struct classes *c, int family, uint16_t node)
{
	struct trie_class *in_trie = family_of(c, family)->tries[node];

	return in_trie ? trie_hash(in_trie)
		       : hash_bytes(HASH_START, node_at(c->tables, family, node), node_size(family));
}

void class_hash_in(struct classes *c, int family, uint16_t node)
{
	struct family_classes *f = family_of(c, family);
	uint16_t *bucket = &f->buckets[hash_of(c, family, node) % CLASS_BUCKETS];

	f->uses[node].next = *bucket;
	*bucket = node;
}

void class_hash_out(struct classes *c, int family, uint16_t node)
{
	struct family_classes *f = family_of(c, family);
	uint16_t *link = &f->buckets[hash_of(c, family, node) % CLASS_BUCKETS];

	while (*link && *link != node)
		link = &f->uses[*link].next;
	if (*link)
		*link = f->uses[node].next;
}

static uint16_t find_node(struct classes *c, int family, const union node *content)
{
	struct family_classes *f = family_of(c, family);
	uint16_t node = f->buckets[hash_bytes(HASH_START, content, node_size(family)) % CLASS_BUCKETS];

	while (node && !node_is(c->tables, family, node, content))
		node = f->uses[node].next;
	return node;
}

/* `refs` words or nodes do not lead to it any more. With the last one it goes, and leads no further itself.
 */
static void release(struct classes *c, int family, uint16_t node, uint32_t refs)
{
	struct family_classes *f = family_of(c, family);

	while (node && refs) {
		uint16_t next = node_next(c->tables, family, node);

		f->uses[node].refs -= refs;
		if (f->uses[node].refs > 0)
			return;
		if (node_is_trie(c->tables, family, node)) {
			if (f->tries[node])
				class_hash_out(c, family, node);
			trie_leave(c, family, node);
			return;
		}
		class_hash_out(c, family, node);
		pool_give(&f->nodes, node);
		node = next;
		refs = 1;
	}
}

/* The node for this binding and what comes after it. Takes over the caller's reference to `next`. */
static int get_node(struct classes *c, int family, const struct binding *b, uint16_t next, uint16_t *out)
{
	struct family_classes *f = family_of(c, family);
	union node content;
	uint16_t node;

	node_make(&content, family, b, next);
	node = find_node(c, family, &content);
	if (node) {
		f->uses[node].refs++;
		release(c, family, next, 1); /* it has its own */
	} else {
		node = pool_take(&f->nodes);
		if (!node) {
			release(c, family, next, 1);
			return -ENOSPC;
		}
		node_write(c->tables, family, node, &content);
		fault_point("a node is written");
		f->uses[node].refs = 1;
		class_hash_in(c, family, node);
	}
	*out = node;
	return 0;
}

/* The class of these bindings, with a reference that is the caller's. */
static int get_class(struct classes *c, int family, const struct binding *const *order, size_t n,
		     uint16_t *head)
{
	int err = 0;

	*head = 0;
	if (n > SKL_INLINE) {
		*head = trie_find(c, family, order, n);
		if (!*head)
			err = trie_make(c, family, order, n, head);
		if (!err)
			family_of(c, family)->uses[*head].refs++;
		return err;
	}
	while (n-- > 0 && !err)
		err = get_node(c, family, order[n], *head, head);
	return err;
}

/* The class of the trie that these ports have, and no other port, or 0. */
static uint16_t sole_trie(struct classes *c, const uint32_t *words, int family, uint16_t first, uint16_t last)
{
	struct family_classes *f = family_of(c, family);
	uint16_t node = word_node(words[first], family);

	if (!node || !f->tries[node] || f->uses[node].refs != (uint32_t)last - first + 1)
		return 0;
	for (uint32_t port = first; port <= last; port++) {
		if (word_node(words[port], family) != node)
			return 0;
	}
	return node;
}

int classes_write(struct classes *c, uint8_t protocol, int family, uint16_t first, uint16_t last,
		  const struct binding *const *order, size_t n)
{
	uint32_t *words = c->tables->words[protocol == IPPROTO_UDP ? SKL_UDP : SKL_TCP];
	struct family_classes *f = family_of(c, family);
	uint16_t head, old = sole_trie(c, words, family, first, last);
	uint32_t run = 0;
	int err;

	if (old && n > SKL_INLINE && !trie_find(c, family, order, n))
		return trie_change(c, family, old, order, n);
	err = get_class(c, family, order, n, &head);
	if (err)
		return err;
	old = 0;
	for (uint32_t port = first; port <= last; port++) {
		uint16_t before = word_node(words[port], family);

		if (before == head)
			continue;
		/* release: the nodes must be there before the word that leads to them */
		__atomic_store_n(&words[port], word_with(words[port], family, head), __ATOMIC_RELEASE);
		fault_point("a word is written");
		f->uses[head].refs++; /* 0 stands for no node, and nobody asks how many lead there */
		if (before != old) {
			release(c, family, old, run);
			old = before;
			run = 0;
		}
		run++;
	}
	release(c, family, old, run);
	release(c, family, head, 1);
	return 0;
}

/* Takes over a node that an earlier helper made, and those after it. */
static void adopt(struct classes *c, int family, uint16_t node)
{
	struct family_classes *f = family_of(c, family);

	while (node && node < SKL_NODES && f->uses[node].refs++ == 0) {
		pool_claim(&f->nodes, node);
		if (node_is_trie(c->tables, family, node))
			return;
		class_hash_in(c, family, node);
		node = node_next(c->tables, family, node);
	}
}

static void adopt_all(struct classes *c, int family)
{
	for (size_t protocol = 0; protocol < 2; protocol++) {
		for (uint32_t port = 0; port < SKL_PORTS; port++)
			adopt(c, family, word_node(c->tables->words[protocol][port], family));
	}
}

static int init_family(struct family_classes *f)
{
	f->uses = calloc(SKL_NODES, sizeof(*f->uses));
	f->tries = calloc(SKL_NODES, sizeof(struct trie_class *));
	if (!f->uses || !f->tries)
		return -ENOMEM;
	return pool_init(&f->nodes, SKL_NODES);
}

static void clear_family(struct family_classes *f)
{
	for (size_t i = 0; f->tries && i < SKL_NODES; i++)
		free(f->tries[i]);
	free(f->tries);
	free(f->uses);
	f->tries = NULL;
	f->uses = NULL;
	pool_clear(&f->nodes);
}

int classes_init(struct classes *c, struct skl_tables *tables, int trie)
{
	int err;

	*c = (struct classes){.tables = tables, .trie = trie};
	err = init_family(&c->v4);
	if (!err)
		err = init_family(&c->v6);
	if (err) {
		classes_clear(c);
		return err;
	}
	adopt_all(c, AF_INET);
	adopt_all(c, AF_INET6);
	tries_forget_unreached(c);
	return 0;
}

void classes_clear(struct classes *c)
{
	clear_family(&c->v4);
	clear_family(&c->v6);
}
