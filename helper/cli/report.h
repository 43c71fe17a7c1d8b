/* SPDX-License-Identifier: BSD-2-Clause */
/* The helper's answer to SKL_STATUS, checked and sorted. */
#ifndef SKL_CLI_REPORT_H
#define SKL_CLI_REPORT_H

#include <stddef.h>

#include "helper/wire.h"

/* All values are within what the wire allows, and the strings are NUL-terminated. */
struct report_listener {
	struct skl_record_listener record;
	const struct skl_record_binding *bindings;
	size_t n_bindings;
};

struct report_share {
	struct skl_record_share record;
	const struct skl_record_share_socket *sockets;
	size_t n_sockets;
	const struct skl_record_share_member *members; /* the oldest first */
	size_t n_members;
};

struct report {
	struct skl_record_helper helper;   /* all 0 where the helper does not tell */
	struct report_listener *listeners; /* by id */
	size_t n_listeners;
	struct report_share *shares; /* by id */
	size_t n_shares;
	struct skl_record_binding *bindings; /* where those of the listeners are */
	size_t n_bindings;
	struct skl_record_share_socket *sockets; /* where those of the shares are */
	size_t n_sockets;
	struct skl_record_share_member *members;
	size_t n_members;
	struct skl_record_error *errors; /* of all bindings, those of one behind each other */
	size_t n_errors;
};

/* The first error of this binding, and through *n how many there are. */
const struct skl_record_error *report_errors(const struct report *report, const struct skl_record_binding *b,
					     size_t *n);

/*
 * Reads the records from fd. Returns 0, and then report_free() is due, or
 * -EBADMSG where they break the contract, -EFBIG, -ENOMEM, or an errno of
 * reading.
 */
int report_read(int fd, struct report *report);

/* Asks the helper and reads. Returns 0, and then report_free() is due, or -errno having complained. */
int report_fetch(struct report *report);

void report_free(struct report *report);

#endif
