/* SPDX-License-Identifier: BSD-2-Clause */
/* Who receives on which port by the kernel's ordinary lookup: sock_diag's list of a namespace. */
#ifndef SKL_DIAG_H
#define SKL_DIAG_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/rules/table.h"

/*
 * Lists the listening TCP sockets, `bound_too` those that are bound and do not
 * listen yet (Linux 6.8; takes most of a millisecond), and `udp_too` the
 * unconnected UDP sockets, of the namespace in which the NETLINK_SOCK_DIAG socket
 * `sock` (the caller's) was made. *out is an array from malloc for
 * table_set_holders(). Returns 0 or -errno.
 */
int diag_holders(int sock, bool udp_too, bool bound_too, struct holder **out, size_t *n);

#endif
