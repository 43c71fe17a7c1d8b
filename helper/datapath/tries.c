// SPDX-License-Identifier: BSD-2-Clause
/* Classes with more prefixes than a chain has nodes: what the trie has of them. */
#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "helper/datapath/classes_parts.h"
#include "helper/fault.h"

struct entry {
	struct prefix prefix;
	uint32_t target; /* slot and binding */
};

struct trie_class {
	uint32_t hash;
	size_t n;
	struct entry entries[]; /* in the order of table_rows(): by length, longest first, then by address */
};

uint32_t trie_hash(const struct trie_class *class)
{
	return class->hash;
}

static uint32_t hash_order(const struct binding *const *order, size_t n)
{
	uint32_t hash = HASH_START;

	for (size_t i = 0; i < n; i++) {
		uint32_t target = node_target_of(order[i]);

		hash = hash_bytes(hash, &target, sizeof(target));
	}
	return hash;
}

static struct trie_class *describe(const struct binding *const *order, size_t n)
{
	struct trie_class *class = malloc(sizeof(*class) + n * sizeof(class->entries[0]));

	if (!class)
		return NULL;
	class->hash = hash_order(order, n);
	class->n = n;
	for (size_t i = 0; i < n; i++) {
		class->entries[i].prefix = order[i]->rule.prefix;
		class->entries[i].target = node_target_of(order[i]);
	}
	return class;
}

static bool has(const struct trie_class *class, const struct binding *const *order, size_t n)
{
	if (class->n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (class->entries[i].target != node_target_of(order[i]) ||
		    !prefix_same(&class->entries[i].prefix, &order[i]->rule.prefix))
			return false;
	}
	return true;
}

uint16_t trie_find(struct classes *c, int family, const struct binding *const *order, size_t n)
{
	struct family_classes *f = family_of(c, family);
	uint16_t node = f->buckets[hash_order(order, n) % CLASS_BUCKETS];

	while (node && !(f->tries[node] && has(f->tries[node], order, n)))
		node = f->uses[node].next;
	return node;
}

static struct skl_trie_key key_of(int family, uint16_t node, const struct prefix *p)
{
	struct skl_trie_key key = {.prefixlen = 32u + p->length, .class = node};

	if (family == AF_INET6)
		key.class |= SKL_TRIE_CLASS6;
	memcpy(key.address, p->address, family == AF_INET ? 4 : 16);
	return key;
}

static int put(struct classes *c, int family, uint16_t node, const struct entry *e)
{
	struct skl_trie_value value = {.slot = (uint16_t)(e->target >> 16), .binding = (uint16_t)e->target};
	struct skl_trie_key key = key_of(family, node, &e->prefix);
	int err = bpf_map_update_elem(c->trie, &key, &value, BPF_ANY);

	/* before Linux 6.13, and what it was mended in, a full trie has no room for what takes another's
	 * place */
	if (err == -ENOSPC && bpf_map_delete_elem(c->trie, &key) == 0)
		err = bpf_map_update_elem(c->trie, &key, &value, BPF_ANY);
	fault_point("a key is in the trie");
	return err;
}

static void take(struct classes *c, int family, uint16_t node, const struct entry *e)
{
	struct skl_trie_key key = key_of(family, node, &e->prefix);

	bpf_map_delete_elem(c->trie, &key);
	fault_point("a key is out of the trie");
}

static int compare(const struct entry *a, const struct entry *b)
{
	if (a->prefix.length != b->prefix.length)
		return b->prefix.length - a->prefix.length;
	return memcmp(a->prefix.address, b->prefix.address, sizeof(a->prefix.address));
}

/* What `new` has and `old` has not, or otherwise. */
static int add_new(struct classes *c, int family, uint16_t node, const struct trie_class *old,
		   const struct trie_class *new)
{
	int err = 0;

	for (size_t i = 0, k = 0; k < new->n && !err; k++) {
		const struct entry *e = &new->entries[k];

		while (i < old->n && compare(&old->entries[i], e) < 0)
			i++;
		if (i == old->n || compare(&old->entries[i], e) != 0 || old->entries[i].target != e->target)
			err = put(c, family, node, e);
	}
	return err;
}

static void take_old(struct classes *c, int family, uint16_t node, const struct trie_class *old,
		     const struct trie_class *new)
{
	size_t k = new->n;

	for (size_t i = old->n; i-- > 0;) {
		const struct entry *e = &old->entries[i];

		while (k > 0 && compare(&new->entries[k - 1], e) > 0)
			k--;
		if (k == 0 || compare(&new->entries[k - 1], e) != 0)
			take(c, family, node, e);
	}
}

/*
 * What comes, comes in the order from the longest prefix to the shortest, and what
 * goes, goes after it and in the opposite order: so the longest prefix that holds
 * an address is at each moment the old one's or the new one's.
 */
static int morph(struct classes *c, int family, uint16_t node, const struct trie_class *old,
		 const struct trie_class *new)
{
	int err = add_new(c, family, node, old, new);

	if (!err)
		take_old(c, family, node, old, new);
	return err;
}

int trie_change(struct classes *c, int family, uint16_t node, const struct binding *const *order, size_t n)
{
	struct family_classes *f = family_of(c, family);
	struct trie_class *old = f->tries[node], *new = describe(order, n);
	int err = new ? morph(c, family, node, old, new) : -ENOMEM;

	if (err) {
		/* what cannot be undone either is no class that anything is known of */
		if (new &&morph(c, family, node, new, old) < 0) {
			class_hash_out(c, family, node);
			f->tries[node] = NULL;
			free(old);
		}
		free(new);
		return err;
	}
	class_hash_out(c, family, node);
	f->tries[node] = new;
	class_hash_in(c, family, node);
	free(old);
	return 0;
}

int trie_make(struct classes *c, int family, const struct binding *const *order, size_t n, uint16_t *node)
{
	struct family_classes *f = family_of(c, family);
	struct trie_class *class = describe(order, n);
	union node content;
	int err = 0;

	if (!class)
		return -ENOMEM;
	*node = pool_take(&f->nodes);
	if (!*node) {
		free(class);
		return -ENOSPC;
	}
	f->tries[*node] = class;
	for (size_t i = 0; i < n && !err; i++)
		err = put(c, family, *node, &class->entries[i]);
	if (err) {
		trie_leave(c, family, *node);
		return err;
	}
	node_make_trie(&content, family);
	node_write(c->tables, family, *node, &content);
	class_hash_in(c, family, *node);
	return 0;
}

void trie_leave(struct classes *c, int family, uint16_t node)
{
	struct family_classes *f = family_of(c, family);

	f->leaving[f->n_leaving++] = node;
}

/* Deletes whatever the trie has of classes that an earlier helper made. */
static void take_unknown(struct classes *c, const bool v4[SKL_NODES], const bool v6[SKL_NODES])
{
	struct skl_trie_key key, next;
	bool more = bpf_map_get_next_key(c->trie, NULL, &next) == 0;

	while (more) {
		uint32_t node;

		key = next;
		more = bpf_map_get_next_key(c->trie, &key, &next) == 0;
		node = key.class & ~SKL_TRIE_CLASS6;
		if (node < SKL_NODES && (key.class & SKL_TRIE_CLASS6 ? v6 : v4)[node]) {
			bpf_map_delete_elem(c->trie, &key);
			fault_point("a key is out of the trie");
		}
	}
}

void tries_forget_unreached(struct classes *c)
{
	bool unused[2][SKL_NODES];

	for (size_t node = 0; node < SKL_NODES; node++) {
		unused[0][node] = !c->v4.nodes.used[node];
		unused[1][node] = !c->v6.nodes.used[node];
	}
	take_unknown(c, unused[0], unused[1]);
}

/* What is known of a class is taken from the trie; true where nothing is. */
static bool take_all(struct classes *c, int family, uint16_t node)
{
	struct family_classes *f = family_of(c, family);
	struct trie_class *class = f->tries[node];

	if (!class)
		return true;
	for (size_t i = 0; i < class->n; i++)
		take(c, family, node, &class->entries[i]);
	f->tries[node] = NULL;
	free(class);
	return false;
}

void classes_settle(struct classes *c)
{
	static const int families[] = {AF_INET, AF_INET6};
	bool unknown[2][SKL_NODES] = {0}, any = false;

	if (c->v4.n_leaving + c->v6.n_leaving == 0)
		return;
	/* unlike a node, a key of the trie is gone at once: nobody may be on the way to it */
	pool_grace_period();
	for (size_t k = 0; k < 2; k++) {
		struct family_classes *f = family_of(c, families[k]);

		for (size_t i = 0; i < f->n_leaving; i++) {
			unknown[k][f->leaving[i]] = take_all(c, families[k], f->leaving[i]);
			any |= unknown[k][f->leaving[i]];
		}
	}
	if (any)
		take_unknown(c, unknown[0], unknown[1]);
	for (size_t k = 0; k < 2; k++) {
		struct family_classes *f = family_of(c, families[k]);

		while (f->n_leaving)
			pool_give(&f->nodes, f->leaving[--f->n_leaving]);
	}
}
