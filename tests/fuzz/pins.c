// SPDX-License-Identifier: BSD-2-Clause
/*
 * What an earlier helper, or somebody else, left pinned: datapath_adopt() with maps that the input fills, and
 * what follows. It is refused, or it becomes a table that the packet path can be given again.
 *
 * The input is a list of things to put into the maps: a byte that says what, and then its number and value,
 * as in struct input.
 */
#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper/datapath/nodes.h"
#include "helper/datapath/shape.h"
#include "helper/log.h"
#include "helper/space.h"

#define RECORDS_MAX 64

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
void __wrap_pool_grace_period(void);
int __wrap_shape_open(int which, const char *directory);
int __wrap_shape_check_fit(const int fds[SHAPE_OBJECTS]);
int __wrap_shape_check_names(const char *directory);
int __wrap_pins_check_directory(const char *path);
int __wrap_upgrade_programs(struct datapath *d);

/* ---- the maps ---- */

enum map { OTHER, TABLES, SOCKETS, MEMBERS, BINDINGS, LINK };

struct entry {
	uint32_t key;
	union {
		uint64_t cookie;
		struct skl_member_record member;
		struct skl_binding_record binding;
	};
};

struct records {
	size_t n;
	struct entry entries[RECORDS_MAX];
};

static struct records sockets, members, bindings;
static struct skl_tables *tables;
static int tables_file;
static uint8_t role[1024]; /* by descriptor */

static struct records *records_of(int fd)
{
	switch ((enum map)role[fd]) {
	case SOCKETS:
		return &sockets;
	case MEMBERS:
		return &members;
	case BINDINGS:
		return &bindings;
	default:
		return NULL;
	}
}

static size_t value_size(int fd)
{
	switch ((enum map)role[fd]) {
	case MEMBERS:
		return sizeof(struct skl_member_record);
	case BINDINGS:
		return sizeof(struct skl_binding_record);
	default:
		return sizeof(uint64_t);
	}
}

static struct entry *find(struct records *r, const void *key)
{
	for (size_t i = 0; r && i < r->n; i++) {
		if (memcmp(&r->entries[i].key, key, sizeof(uint32_t)) == 0)
			return &r->entries[i];
	}
	return NULL;
}

static int fails(int err)
{
	errno = err;
	return -err;
}

/* ---- in place of the system calls of bpf(2): these names go before those of the library ---- */

int __wrap_shape_open(int which, const char *directory)
{
	static const uint8_t maps[SHAPE_OBJECTS] = {
		[LOAD_TABLES] = TABLES,	    [LOAD_SOCKETS] = SOCKETS, [LOAD_MEMBERS] = MEMBERS,
		[LOAD_BINDINGS] = BINDINGS, [SHAPE_LINK] = LINK,
	};
	int fd = fcntl(tables_file, F_DUPFD_CLOEXEC, 0);

	assert(fd >= 0 && fd < (int)sizeof(role));
	role[fd] = maps[which];
	return fd;
}

int __wrap_shape_check_fit(const int fds[SHAPE_OBJECTS])
{
	return 0;
}

int __wrap_pins_check_directory(const char *path)
{
	return 0;
}

int __wrap_shape_check_names(const char *directory)
{
	return 0;
}

int __wrap_upgrade_programs(struct datapath *d)
{
	return 0;
}

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *length)
{
	if (role[fd] == TABLES)
		((struct bpf_map_info *)info)->value_size = sizeof(*tables);
	if (role[fd] == LINK)
		((struct bpf_link_info *)info)->netns.netns_ino = 1;
	return 0;
}

int bpf_map_get_next_key(int fd, const void *key, void *next)
{
	struct records *r = records_of(fd);
	struct entry *e = r && key ? find(r, key) : NULL;
	size_t i = e ? (size_t)(e - r->entries) + 1 : 0;

	if (!r || i >= r->n)
		return fails(ENOENT);
	memcpy(next, &r->entries[i].key, sizeof(uint32_t));
	return 0;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	struct entry *e = find(records_of(fd), key);

	if (!e)
		return fails(ENOENT);
	memcpy(value, &e->cookie, value_size(fd));
	return 0;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	return 0; /* of the trie, and of counters: neither is read again */
}

int bpf_map_delete_elem(int fd, const void *key)
{
	struct records *r = records_of(fd);
	struct entry *e = find(r, key);

	if (!e)
		return fails(ENOENT);
	*e = r->entries[--r->n];
	return 0;
}

/* The probe: every other socket that the map has is alive. */
int bpf_prog_test_run_opts(int fd, struct bpf_test_run_opts *run)
{
	const struct bpf_sk_lookup *ctx = run->ctx_in;
	uint32_t slot = ctx->local_port;
	const struct entry *e = find(&sockets, &slot);

	run->retval = e && e->cookie % 2 ? SK_PASS : SK_DROP;
	return 0;
}

void __wrap_pool_grace_period(void)
{
}

/* ---- the input ---- */

enum what { WORD, NODE4, NODE6, LINKED, MEMBER, BINDING, SOCKET, HEAD, N_WHATS };

union input {
	uint32_t word;
	struct skl_node4 node4;
	struct skl_node6 node6;
	struct skl_member linked;
	struct skl_member_record member;
	struct skl_binding_record binding;
	uint64_t socket;
	uint64_t last_id;
};

static const size_t sizes[N_WHATS] = {
	[WORD] = sizeof(uint32_t),
	[NODE4] = sizeof(struct skl_node4),
	[NODE6] = sizeof(struct skl_node6),
	[LINKED] = sizeof(struct skl_member),
	[MEMBER] = sizeof(struct skl_member_record),
	[BINDING] = sizeof(struct skl_binding_record),
	[SOCKET] = sizeof(uint64_t),
	[HEAD] = sizeof(uint64_t),
};

static void put_record(struct records *r, uint32_t key, const void *value, size_t size)
{
	struct entry *e = find(r, &key);

	if (!e && r->n == RECORDS_MAX)
		return;
	if (!e)
		e = &r->entries[r->n++];
	e->key = key;
	memcpy(&e->cookie, value, size);
}

static void put(enum what what, uint16_t number, const union input *in)
{
	switch (what) {
	case WORD:
		/* the highest bit of no port is set in a test: it says UDP */
		tables->words[number >> 15][number & 0x7fff] = in->word;
		break;
	case NODE4:
		tables->nodes4[number % SKL_NODES] = in->node4;
		break;
	case NODE6:
		tables->nodes6[number % SKL_NODES] = in->node6;
		break;
	case LINKED:
		tables->members[number % SKL_SLOTS] = in->linked;
		break;
	case MEMBER:
		put_record(&members, number, &in->member, sizeof(in->member));
		break;
	case BINDING:
		put_record(&bindings, number % SKL_BINDINGS, &in->binding, sizeof(in->binding));
		break;
	case SOCKET:
		put_record(&sockets, number % SKL_SLOTS, &in->socket, sizeof(in->socket));
		break;
	case HEAD:
		tables->last_id = in->last_id;
		break;
	case N_WHATS:
		break;
	}
}

static void fill(const uint8_t *data, size_t size)
{
	memset(tables, 0, sizeof(*tables));
	tables->layout = SKL_LAYOUT;
	sockets.n = members.n = bindings.n = 0;
	while (size >= 3) {
		enum what what = data[0] % N_WHATS;
		uint16_t number = (uint16_t)(data[1] | data[2] << 8);
		union input in;

		data += 3;
		size -= 3;
		if (size < sizes[what])
			break;
		memcpy(&in, data, sizes[what]);
		put(what, number, &in);
		data += sizes[what];
		size -= sizes[what];
	}
}

/* ---- what must hold ---- */

struct expected {
	const struct datapath *datapath;
	uint8_t protocol;
	int family;
};

/* The words of these ports lead to these bindings and to nothing else. */
__attribute__((no_sanitize("coverage"))) static int check_row(void *context, uint16_t first, uint16_t last,
							      const struct binding *const *order, size_t n)
{
	const struct expected *e = context;
	const struct skl_tables *t = e->datapath->tables;
	const uint32_t *words = t->words[e->protocol == IPPROTO_UDP ? SKL_UDP : SKL_TCP];

	uint16_t node = word_node(words[first], e->family);
	union node content;

	for (uint32_t port = first; port < last; port++)
		assert(node == word_node(words[port + 1], e->family));
	assert(node < SKL_NODES);
	if (node && node_is_trie(t, e->family, node)) {
		assert(n > SKL_INLINE);
		return 0;
	}
	for (size_t i = 0; i < n; i++) {
		assert(node && node < SKL_NODES);
		node_make(&content, e->family, order[i], node_next(t, e->family, node));
		assert(node_is(t, e->family, node, &content));
		node = node_next(t, e->family, node);
	}
	assert(node == 0);
	return 0;
}

static void check_tables(const struct space *s)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	static const int families[] = {AF_INET, AF_INET6};

	for (size_t i = 0; i < 4; i++) {
		struct expected e = {s->datapath, protocols[i / 2], families[i % 2]};
		struct rule all = {.prefix = prefix_any(e.family), .last = 65535, .protocol = e.protocol};

		if (datapath_refresh(s->datapath, &s->table, &all) == 0)
			assert(table_rows(&s->table, e.protocol, e.family, 0, 65535, check_row, &e) == 0);
	}
}

static void check_registry(const struct table *t)
{
	for (size_t i = 0; i < t->n_listeners; i++) {
		const struct listener *l = t->listeners[i];

		assert(l->n_members >= 1 && l->n_members <= SKL_MEMBERS);
		assert(l->family == AF_INET || l->family == AF_INET6);
		assert(l->protocol == IPPROTO_TCP || l->protocol == IPPROTO_UDP);
		for (size_t m = 0; m < l->n_members; m++)
			assert(l->members[m].slot > 0 && l->members[m].slot < SKL_SLOTS);
	}
	for (size_t i = 0; i < t->n_bindings; i++) {
		const struct rule *r = &t->bindings[i]->rule;

		assert(t->bindings[i]->own ||
		       (t->bindings[i]->index && t->bindings[i]->index < SKL_BINDINGS));
		assert(r->protocol == t->bindings[i]->listener->protocol);
		assert(r->prefix.family == AF_INET || r->prefix.family == AF_INET6);
		assert(r->first <= r->last && (t->bindings[i]->own || r->first > 0));
	}
}

__attribute__((no_sanitize("coverage"))) static size_t used(const struct pool *p)
{
	size_t n = 0;

	for (uint32_t i = 0; i < p->size; i++)
		n += p->used[i];
	return n;
}

__attribute__((no_sanitize("coverage"))) static void check_empty(void)
{
	for (uint32_t port = 0; port < SKL_PORTS; port++)
		assert(tables->words[SKL_TCP][port] == 0 && tables->words[SKL_UDP][port] == 0);
}

/* What refuses everything finds nothing. */
static void check_that_it_adopts(void)
{
	struct space *s = space_new(1, 0);

	assert(s);
	memset(tables, 0, sizeof(*tables));
	tables->layout = SKL_LAYOUT;
	tables->last_id = 9;
	put(SOCKET, 1, &(union input){.socket = 101});
	put(MEMBER, 1,
	    &(union input){.member = {.cookie = 101,
				      .listener_id = 1,
				      .listener = 1,
				      .port = 80,
				      .family = AF_INET,
				      .protocol = IPPROTO_TCP}});
	put(BINDING, 1,
	    &(union input){.binding = {.id = 2,
				       .listener = 1,
				       .port_first = 7,
				       .port_last = 7,
				       .family = AF_INET,
				       .protocol = IPPROTO_TCP}});
	put(NODE4, 1, &(union input){.node4 = {.slot = 1, .binding = 1}});
	put(WORD, 7, &(union input){.word = SKL_WORD(1, 0)});
	assert(datapath_adopt(&s->datapath, "/fuzz/net-1", 1, &s->table) == 0);
	assert(s->table.n_listeners == 1 && s->table.n_bindings == 1 &&
	       !s->table.listeners[0]->members[0].dead);
	check_tables(s);
	space_close(s);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	tables_file = memfd_create("fuzz", MFD_CLOEXEC);
	assert(tables_file >= 0 && ftruncate(tables_file, sizeof(*tables)) == 0);
	tables = mmap(NULL, sizeof(*tables), PROT_READ | PROT_WRITE, MAP_SHARED, tables_file, 0);
	assert(tables != MAP_FAILED);
	log_set_level("error");
	check_that_it_adopts();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct space *s = space_new(1, 0);

	assert(s);
	fill(data, size);
	if (datapath_adopt(&s->datapath, "/fuzz/net-1", 1, &s->table) < 0) {
		assert(s->table.n_listeners == 0 && s->table.n_bindings == 0);
		free(s);
		return 0;
	}
	check_registry(&s->table);
	space_sweep(s);
	check_tables(s);
	while (s->table.n_listeners)
		space_forget_listener(s, s->table.listeners[0]);
	check_empty();
	assert(used(&s->datapath->slots) == 0 && used(&s->datapath->bindings) == 0);
	assert(used(&s->datapath->classes.v4.nodes) == 0 && used(&s->datapath->classes.v6.nodes) == 0);
	space_close(s);
	return 0;
}
