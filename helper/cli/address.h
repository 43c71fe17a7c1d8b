/* SPDX-License-Identifier: BSD-2-Clause */
/* What a socket is bound to, as people read and write it. */
#ifndef SKL_CLI_ADDRESS_H
#define SKL_CLI_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>

struct address {
	int family;	   /* AF_INET or AF_INET6 */
	uint8_t bytes[16]; /* network byte order; IPv4 is in the first 4 */
	uint16_t port;	   /* host byte order */
	bool v6only;
};

#define ADDRESS_TEXT 64 /* enough for each of these, with its NUL */

/* "127.0.0.1:80", "[::1]:80", "*:80" where both families are served on every address. */
void address_format(const struct address *a, char text[ADDRESS_TEXT]);

/* "192.0.2.0/24"; a whole address without its length where `brief` is set. */
void address_format_prefix(int family, const uint8_t bytes[16], unsigned int length, bool brief,
			   char text[ADDRESS_TEXT]);

/* Which sockets somebody means. */
struct address_pattern {
	enum { ADDRESS_ANY, ADDRESS_WILDCARD, ADDRESS_EXACT } what;
	struct address address; /* only the port counts where it is not exact */
};

/*
 * Reads "80" or ":80" (that port on any address), "*:80" (bound to every
 * address), "127.0.0.1:80" or "[::1]:80". Returns 0 or -EINVAL.
 */
int address_parse(const char *text, struct address_pattern *pattern);

bool address_matches(const struct address *a, const struct address_pattern *pattern);

bool address_same(const struct address *a, const struct address *b);

#endif
