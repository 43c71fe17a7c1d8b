/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4 and IPv6 prefixes. */
#ifndef SKL_PREFIX_H
#define SKL_PREFIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The address is in network byte order (IPv4: the first 4 bytes, the rest 0), bits beyond `length` are 0. */
struct prefix {
	uint8_t family; /* AF_INET or AF_INET6 */
	uint8_t length; /* in bits: 0 to 32 or 128 */
	uint8_t address[16];
};

#define PREFIX_TEXT 52 /* "ffff:…/128" with its NUL */

/*
 * Reads "192.0.2.0/24", "2001:db8::/32" or a bare address (a host prefix) from `length` characters of text.
 * An IPv4-mapped IPv6 prefix of at least 96 bits becomes the IPv4 one. *masked tells whether bits beyond the
 * prefix were set and have been cleared. Returns 0 or -EINVAL.
 */
int prefix_parse(const char *text, size_t length, struct prefix *out, bool *masked);

/* Writes "192.0.2.0/24". */
void prefix_format(const struct prefix *p, char out[PREFIX_TEXT]);

/* The prefix that holds just this address: 4 or 16 bytes in network byte order. */
struct prefix prefix_host(int family, const void *address);

/* What a socket bound to this address receives: the same, but everything where it is bound to every address.
 */
struct prefix prefix_bound(int family, const void *address);

/* The prefix that holds every address of the family. */
struct prefix prefix_any(int family);

/* Does `wide` hold every address of `narrow`? */
bool prefix_covers(const struct prefix *wide, const struct prefix *narrow);

/* Do they share an address? Then one covers the other. */
bool prefix_overlaps(const struct prefix *a, const struct prefix *b);

bool prefix_same(const struct prefix *a, const struct prefix *b);

#endif
