/* SPDX-License-Identifier: BSD-2-Clause */
/* clsact qdiscs, in which the reply program's filter stands, by netlink: for the namespace that the process
 * is in. */
#ifndef SKL_QDISC_H
#define SKL_QDISC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum qdisc {
	QDISC_NONE,
	QDISC_CLSACT,
	QDISC_INGRESS, /* it stands where clsact would, and has no egress side */
};

struct qdisc_seen {
	int ifindex;
	enum qdisc kind;
};

/* Of all interfaces: the kernel lists them all, even if asked about one. */
struct qdiscs {
	struct qdisc_seen *at; /* from malloc */
	size_t n, room;
};

/* 0 or -errno; then there are none. */
int qdiscs_read(struct qdiscs *out);
void qdiscs_free(struct qdiscs *all);

/* Which one an interface has. */
enum qdisc qdisc_of(const struct qdiscs *all, int ifindex);

/* A filter's place on the egress side. */
struct place {
	uint32_t priority, handle;
};

/*
 * Makes a clsact qdisc with one filter, `program` (a descriptor, the caller's),
 * in one step as those see it who may be killed. 0, -EEXIST when there is a
 * qdisc by now, or -errno.
 */
int qdisc_make(int ifindex, struct place place, int program, const char *name);

/* Removes a clsact qdisc with all its filters if there is none but the one at `place`; else false. */
bool qdisc_remove(int ifindex, struct place place);

#endif
