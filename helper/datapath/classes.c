// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/classes.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "helper/datapath/nodes.h"
#include "helper/fault.h"

static struct family_classes *family_of(struct classes *c, int family)
{
	return family == AF_INET ? &c->v4 : &c->v6;
}

/* FNV-1a over the targets. */
#define HASH_START 2166136261u

static uint32_t hash_step(uint32_t hash, uint32_t target)
{
	for (int i = 0; i < 4; i++, target >>= 8)
		hash = (hash ^ (target & 0xff)) * 16777619u;
	return hash;
}

static uint32_t hash_order(const struct binding *const *order, size_t n)
{
	uint32_t hash = HASH_START;

	for (size_t i = 0; i < n; i++)
		hash = hash_step(hash, node_target_of(order[i]));
	return hash;
}

static bool class_is(const struct classes *c, int family, uint16_t head, const struct class *class,
		     const struct binding *const *order, size_t n)
{
	uint16_t node = head;

	if (class->n != n)
		return false;
	for (size_t i = 0; i < n; i++) {
		if ((class->in_trie ? class->in_trie[i] : node_target(c->tables, family, node)) !=
		    node_target_of(order[i]))
			return false;
		if (!class->in_trie)
			node = node_next(c->tables, family, node);
	}
	return true;
}

static uint16_t find_class(struct classes *c, int family, uint32_t hash, const struct binding *const *order,
			   size_t n)
{
	struct family_classes *f = family_of(c, family);
	uint16_t head = f->buckets[hash % CLASS_BUCKETS];

	while (head &&
	       !(f->classes[head].hash == hash && class_is(c, family, head, &f->classes[head], order, n)))
		head = f->classes[head].next;
	return head;
}

static void hash_in(struct family_classes *f, uint16_t head)
{
	uint16_t *bucket = &f->buckets[f->classes[head].hash % CLASS_BUCKETS];

	f->classes[head].next = *bucket;
	*bucket = head;
}

static void hash_out(struct family_classes *f, uint16_t head)
{
	uint16_t *link = &f->buckets[f->classes[head].hash % CLASS_BUCKETS];

	while (*link && *link != head)
		link = &f->classes[*link].next;
	if (*link)
		*link = f->classes[head].next;
}

static void trie_key(struct skl_trie_key *key, int family, uint16_t head, const struct prefix *p)
{
	*key = (struct skl_trie_key){.prefixlen = 32u + p->length, .class = head};
	if (family == AF_INET6)
		key->class |= SKL_TRIE_CLASS6;
	memcpy(key->address, p->address, family == AF_INET ? 4 : 16);
}

static int make_chain(struct classes *c, int family, const struct binding *const *order, size_t n,
		      uint16_t *head)
{
	struct family_classes *f = family_of(c, family);
	uint16_t next = 0;

	for (size_t i = n; i-- > 0;) {
		uint16_t node = pool_take(&f->nodes);

		if (!node) {
			for (; next; next = node_next(c->tables, family, next))
				pool_give(&f->nodes, next);
			return -ENOSPC;
		}
		node_write(c->tables, family, node, order[i], next);
		fault_point("a node is written");
		next = node;
	}
	*head = next;
	return 0;
}

/* Deletes from the trie whatever it has of these classes. */
static void delete_from_trie(struct classes *c, const bool v4[SKL_NODES], const bool v6[SKL_NODES])
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

void classes_settle(struct classes *c)
{
	bool gone[2][SKL_NODES] = {0};
	struct family_classes *families[] = {&c->v4, &c->v6};

	if (c->v4.n_leaving + c->v6.n_leaving == 0)
		return;
	/* unlike a node, a key of the trie is gone at once: nobody may be on the way to it */
	pool_grace_period();
	for (size_t f = 0; f < 2; f++) {
		for (size_t i = 0; i < families[f]->n_leaving; i++)
			gone[f][families[f]->leaving[i]] = true;
	}
	delete_from_trie(c, gone[0], gone[1]);
	for (size_t f = 0; f < 2; f++) {
		while (families[f]->n_leaving)
			pool_give(&families[f]->nodes, families[f]->leaving[--families[f]->n_leaving]);
	}
}

static int make_trie_class(struct classes *c, int family, const struct binding *const *order, size_t n,
			   uint16_t *head)
{
	struct family_classes *f = family_of(c, family);
	uint32_t *targets = malloc(n * sizeof(*targets));
	uint16_t node = targets ? pool_take(&f->nodes) : 0;
	int err = 0;

	if (!node) {
		free(targets);
		return targets ? -ENOSPC : -ENOMEM;
	}
	for (size_t i = 0; i < n && !err; i++) {
		struct skl_trie_value value = {.slot = node_slot_of(order[i]), .binding = order[i]->index};
		struct skl_trie_key key;

		trie_key(&key, family, node, &order[i]->rule.prefix);
		targets[i] = node_target_of(order[i]);
		err = bpf_map_update_elem(c->trie, &key, &value, BPF_ANY);
		fault_point("a key is in the trie");
	}
	if (err) {
		f->leaving[f->n_leaving++] = node;
		free(targets);
		return err;
	}
	node_write_trie(c->tables, family, node);
	f->classes[node].in_trie = targets;
	*head = node;
	return 0;
}

static int get_class(struct classes *c, int family, const struct binding *const *order, size_t n,
		     uint16_t *head)
{
	struct family_classes *f = family_of(c, family);
	uint32_t hash = hash_order(order, n);
	int err;

	*head = 0;
	if (n == 0)
		return 0;
	*head = find_class(c, family, hash, order, n);
	if (*head)
		return 0;
	if (n <= SKL_INLINE)
		err = make_chain(c, family, order, n, head);
	else
		err = make_trie_class(c, family, order, n, head);
	if (err)
		return err;
	f->classes[*head].hash = hash;
	f->classes[*head].n = (uint16_t)n;
	f->classes[*head].ports = 0;
	hash_in(f, *head);
	return 0;
}

/* `ports` words do not lead to this class any more. */
static void release(struct classes *c, int family, uint16_t head, uint32_t ports)
{
	struct family_classes *f = family_of(c, family);
	struct class *class = &f->classes[head];
	uint16_t node = head;

	if (head == 0 || ports == 0)
		return;
	class->ports -= ports;
	if (class->ports > 0)
		return;
	hash_out(f, head);
	if (node_is_trie(c->tables, family, head)) {
		f->leaving[f->n_leaving++] = head; /* until classes_settle() */
		node = 0;
	}
	free(class->in_trie);
	*class = (struct class){0};
	while (node) {
		uint16_t next = node_next(c->tables, family, node);

		pool_give(&f->nodes, node);
		node = next;
	}
}

int classes_write(struct classes *c, uint8_t protocol, int family, uint16_t first, uint16_t last,
		  const struct binding *const *order, size_t n)
{
	uint32_t *words = c->tables->words[protocol == IPPROTO_UDP ? SKL_UDP : SKL_TCP];
	struct family_classes *f = family_of(c, family);
	uint16_t head, old = 0;
	uint32_t run = 0;
	int err;

	err = get_class(c, family, order, n, &head);
	if (err)
		return err;
	f->classes[head]
		.ports++; /* so that it cannot vanish while its ports are written; 0 stands for no class */
	for (uint32_t port = first; port <= last; port++) {
		uint16_t before = word_node(words[port], family);

		if (before == head)
			continue;
		/* release: the nodes must be there before the word that leads to them */
		__atomic_store_n(&words[port], word_with(words[port], family, head), __ATOMIC_RELEASE);
		fault_point("a word is written");
		f->classes[head].ports++;
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

/* Takes over a class that an earlier helper made. */
static void adopt(struct classes *c, int family, uint16_t head)
{
	struct family_classes *f = family_of(c, family);
	struct class *class = &f->classes[head];
	uint16_t node = head;

	class->hash = HASH_START;
	if (node_is_trie(c->tables, family, head)) {
		pool_claim(&f->nodes, head);
	} else {
		for (; node && class->n < SKL_INLINE; node = node_next(c->tables, family, node)) {
			pool_claim(&f->nodes, node);
			class->hash = hash_step(class->hash, node_target(c->tables, family, node));
			class->n++;
		}
	}
	hash_in(f, head);
}

static void adopt_all(struct classes *c, int family)
{
	struct family_classes *f = family_of(c, family);

	for (size_t protocol = 0; protocol < 2; protocol++) {
		for (uint32_t port = 0; port < SKL_PORTS; port++) {
			uint16_t head = word_node(c->tables->words[protocol][port], family);

			if (head == 0 || head >= SKL_NODES)
				continue;
			if (f->classes[head].ports++ == 0)
				adopt(c, family, head);
		}
	}
}

/* A helper that died may have left keys of classes that no word leads to: of no class that is made from now
 * on. */
static void forget_unreached(struct classes *c)
{
	bool unused[2][SKL_NODES];

	for (size_t node = 0; node < SKL_NODES; node++) {
		unused[0][node] = !c->v4.nodes.used[node];
		unused[1][node] = !c->v6.nodes.used[node];
	}
	delete_from_trie(c, unused[0], unused[1]);
}

static int init_family(struct family_classes *f)
{
	f->classes = calloc(SKL_NODES, sizeof(*f->classes));
	if (!f->classes)
		return -ENOMEM;
	return pool_init(&f->nodes, SKL_NODES);
}

static void clear_family(struct family_classes *f)
{
	for (size_t i = 0; f->classes && i < SKL_NODES; i++)
		free(f->classes[i].in_trie);
	free(f->classes);
	f->classes = NULL;
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
	forget_unreached(c);
	return 0;
}

void classes_clear(struct classes *c)
{
	clear_family(&c->v4);
	clear_family(&c->v6);
}
