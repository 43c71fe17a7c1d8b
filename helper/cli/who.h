/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets a packet, and why: decided by the helper's own precedence code (rules/) over what it reported. */
#ifndef SKL_CLI_WHO_H
#define SKL_CLI_WHO_H

#include "helper/cli/report.h"
#include "helper/rules/table.h"

/*
 * The report's listeners and bindings of one network namespace (its inode
 * number) as a table; table_clear() is due in any case. Who else holds ports is
 * not in a report: table_set_holders(). 0 or -ENOMEM.
 */
int who_table(const struct report *report, uint64_t netns, struct table *t);

/* Why a binding that matches does not get the packet. */
enum who_reason {
	WHO_SHORTER,  /* its prefix */
	WHO_WIDER,    /* its range of ports */
	WHO_LEFT_OUT, /* a range gave way to whoever holds the port */
	WHO_LATER,    /* the same prefix and ports, but somebody was first */
};

/*
 * Who gets the first packet to `port` at the address `host`, or, where that is
 * not a single address, at those of it that no longer prefix has? *winner is
 * NULL where no binding applies; one that is the listener's own stands for the
 * ordinary lookup. 0 or -ENOMEM.
 */
int who_gets(const struct table *t, uint8_t protocol, const struct prefix *host, uint16_t port,
	     const struct binding **winner);

/* Calls `row` for each other binding that matches. */
typedef void who_row(const struct binding *b, enum who_reason reason);
void who_others(const struct table *t, uint8_t protocol, const struct prefix *host, uint16_t port,
		const struct binding *winner, who_row *row);

/* The socket that the ordinary lookup finds there, as far as it is listed, or NULL. */
const struct holder *who_holds(const struct table *t, uint8_t protocol, const struct prefix *host,
			       uint16_t port);

#endif
