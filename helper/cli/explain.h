/* SPDX-License-Identifier: BSD-2-Clause */
/* `skl status PORT [ADDRESS]`: who gets that port, and why. */
#ifndef SKL_CLI_EXPLAIN_H
#define SKL_CLI_EXPLAIN_H

#include <stdint.h>

#include "helper/cli/report.h"
#include "helper/rules/prefix.h"

struct explain_question {
	uint16_t port;
	uint8_t protocol;   /* IPPROTO_TCP, IPPROTO_UDP, or 0 for both */
	struct prefix host; /* a single address; family 0: everything that makes a difference */
	uint64_t netns;	    /* inode number */
};

/* Reads "777" or "53/udp" and an address or NULL. Returns 0, or -EINVAL having complained. */
int explain_parse(const char *port, const char *address, struct explain_question *q);

/* Prints the answer. Returns 0 or -errno. */
int explain(const struct report *report, const struct explain_question *q);

#endif
