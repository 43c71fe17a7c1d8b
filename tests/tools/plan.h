/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plan: which listeners there are, and what each covers. A line for each:
 *
 *   NAME UID stays|comes ADDRESS PORT RULE...
 *
 * It is bound to ADDRESS and PORT and covers the rules, each in the form of
 * SKL_BIND, "127.9.0.0/16:7-9" or "[2001:db8::]/64:7". One that comes also goes,
 * again and again.
 *
 * What is true of a listener at which time is in memory that the one who makes
 * it and all who connect share, since all that can be told of a connection is
 * that it was made between two times. Included by one file of a program each.
 */
#ifndef SKL_TESTS_PLAN_H
#define SKL_TESTS_PLAN_H

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct address {
	int family;
	uint8_t bytes[16]; /* network byte order, IPv4 in the first 4 */
};

struct rule {
	struct address prefix;
	unsigned int length;
	uint16_t first, last;
	size_t owner;
};

struct owner {
	char name[32];
	uid_t uid;
	bool comes;
	struct address address;
	uint16_t port;
	size_t first_rule, n_rules;
};

struct plan {
	struct owner *owners;
	struct rule *rules;
	size_t n_owners, n_rules;
	bool many_users;
};

/* Times are CLOCK_MONOTONIC, in ns. */
struct state {
	_Atomic uint64_t asked;	      /* when its rules were asked for last */
	_Atomic uint64_t sure_since;  /* since when they are certainly in force, or 0 */
	_Atomic uint64_t maybe_until; /* when they were in force last, UINT64_MAX while they may be */
	_Atomic uint64_t stale_until; /* until then they may be there for a listener that is gone */
};

struct shared {
	_Atomic uint64_t changes, failures, slowest; /* of claims while there are changes; ns */
	struct state states[];
};

static inline uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

_Noreturn static inline void plan_fail(const char *what)
{
	int err = errno ? errno : EINVAL;

	fprintf(stderr, "plan: %s: %s\n", what, strerror(err));
	exit(err);
}

static inline int address_parse(const char *text, struct address *a)
{
	*a = (struct address){.family = strchr(text, ':') ? AF_INET6 : AF_INET};
	return inet_pton(a->family, text, a->bytes) == 1 ? 0 : -EINVAL;
}

static inline unsigned int address_bits(const struct address *a)
{
	return a->family == AF_INET ? 32 : 128;
}

static inline socklen_t address_to(const struct address *a, uint16_t port, struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (void *)out;
	struct sockaddr_in6 *v6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (a->family == AF_INET) {
		*v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&v4->sin_addr, a->bytes, 4);
		return sizeof(*v4);
	}
	*v6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
	memcpy(&v6->sin6_addr, a->bytes, 16);
	return sizeof(*v6);
}

/* Do they begin with the same `bits` bits? */
static inline bool same_bits(const struct address *a, const struct address *b, unsigned int bits)
{
	unsigned int rest = bits % 8;

	if (a->family != b->family || memcmp(a->bytes, b->bytes, bits / 8) != 0)
		return false;
	return rest == 0 || (a->bytes[bits / 8] ^ b->bytes[bits / 8]) >> (8 - rest) == 0;
}

static inline bool rule_matches(const struct rule *r, const struct address *a, uint16_t port)
{
	return r->first <= port && port <= r->last && same_bits(&r->prefix, a, r->length);
}

/* <0: a wins where both match; 0: the rules do not tell. */
static inline int rule_order(const struct rule *a, const struct rule *b)
{
	if (a->length != b->length)
		return (int)b->length - (int)a->length;
	return (a->last - a->first) - (b->last - b->first);
}

static inline int rule_parse(const char *text, struct rule *r)
{
	char address[INET6_ADDRSTRLEN];
	unsigned int first, last;
	int got;

	if (sscanf(text, "[%45[0-9a-f:]]/%u:%n", address, &r->length, &got) != 2 &&
	    sscanf(text, "%45[0-9.]/%u:%n", address, &r->length, &got) != 2)
		return -EINVAL;
	switch (sscanf(text + got, "%u-%u", &first, &last)) {
	case 1:
		last = first;
		break;
	case 2:
		break;
	default:
		return -EINVAL;
	}
	if (first > last || last > 65535 || address_parse(address, &r->prefix) < 0)
		return -EINVAL;
	r->first = (uint16_t)first;
	r->last = (uint16_t)last;
	return r->length <= address_bits(&r->prefix) ? 0 : -EINVAL;
}

static inline void *grow(void *array, size_t n, size_t element)
{
	if (n & (n - 1))
		return array;
	array = reallocarray(array, n ? 2 * n : 1, element);
	if (!array)
		plan_fail("memory");
	return array;
}

static inline void plan_line(struct plan *p, char *line)
{
	struct owner o = {.first_rule = p->n_rules};
	char address[INET6_ADDRSTRLEN], life[8];
	char *word;
	int at = 0;

	errno = 0;
	if (sscanf(line, "%31s %u %7s %45s %hu%n", o.name, &o.uid, life, address, &o.port, &at) != 5 ||
	    address_parse(address, &o.address) < 0)
		plan_fail(line);
	o.comes = strcmp(life, "comes") == 0;
	for (word = strtok(line + at, " \n"); word; word = strtok(NULL, " \n")) {
		struct rule r = {.owner = p->n_owners};

		if (rule_parse(word, &r) < 0)
			plan_fail(word);
		p->rules = grow(p->rules, p->n_rules, sizeof(r));
		p->rules[p->n_rules++] = r;
		o.n_rules++;
	}
	p->owners = grow(p->owners, p->n_owners, sizeof(o));
	p->owners[p->n_owners++] = o;
	p->many_users |= o.uid != p->owners[0].uid;
}

static inline void plan_read(const char *path, struct plan *p)
{
	FILE *file = fopen(path, "r");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		plan_fail(path);
	*p = (struct plan){0};
	while (getline(&line, &size, file) > 0)
		plan_line(p, line);
	free(line);
	fclose(file);
	if (p->n_rules == 0)
		plan_fail("no rule");
}

/* Made where it is not there yet. */
static inline struct shared *plan_share(const char *path, const struct plan *p)
{
	size_t size = sizeof(struct shared) + p->n_owners * sizeof(struct state);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct shared *shared;

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0)
		plan_fail(path);
	shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (shared == MAP_FAILED)
		plan_fail(path);
	close(fd);
	return shared;
}

#endif
