// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_wildcard(const struct address *a)
{
	static const uint8_t zero[16];

	return memcmp(a->bytes, zero, a->family == AF_INET6 ? 16 : 4) == 0;
}

void address_format(const struct address *a, char text[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(a->family, a->bytes, host, sizeof(host));
	if (a->family != AF_INET6)
		snprintf(text, ADDRESS_TEXT, "%s:%u", host, a->port);
	else if (!a->v6only && is_wildcard(a))
		snprintf(text, ADDRESS_TEXT, "*:%u", a->port);
	else
		snprintf(text, ADDRESS_TEXT, "[%s]:%u", host, a->port);
}

void address_format_prefix(int family, const uint8_t bytes[16], unsigned int length, bool brief,
			   char text[ADDRESS_TEXT])
{
	char host[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family, bytes, host, sizeof(host));
	if (brief && length == (family == AF_INET6 ? 128 : 32))
		snprintf(text, ADDRESS_TEXT, "%s", host);
	else
		snprintf(text, ADDRESS_TEXT, "%s/%u", host, length);
}

static int parse_port(const char *text, uint16_t *port)
{
	unsigned long value;

	if (*text == '\0' || strspn(text, "0123456789") != strlen(text) || strlen(text) > 5)
		return -EINVAL;
	value = strtoul(text, NULL, 10);
	if (value == 0 || value > 65535)
		return -EINVAL;
	*port = (uint16_t)value;
	return 0;
}

int address_parse(const char *text, struct address_pattern *pattern)
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	struct address *a = &pattern->address;
	size_t length = colon ? (size_t)(colon - text) : 0;

	memset(pattern, 0, sizeof(*pattern));
	pattern->what = ADDRESS_ANY;
	if (length >= sizeof(host) || parse_port(colon ? colon + 1 : text, &a->port) != 0)
		return -EINVAL;
	if (length == 0)
		return 0;
	memcpy(host, text, length);
	host[length] = '\0';
	if (strcmp(host, "*") == 0) {
		pattern->what = ADDRESS_WILDCARD;
		return 0;
	}
	pattern->what = ADDRESS_EXACT;
	if (host[0] == '[' && host[length - 1] == ']') {
		host[length - 1] = '\0';
		a->family = AF_INET6;
		return inet_pton(AF_INET6, host + 1, a->bytes) == 1 ? 0 : -EINVAL;
	}
	a->family = AF_INET;
	return inet_pton(AF_INET, host, a->bytes) == 1 ? 0 : -EINVAL;
}

/* An IPv4 address in IPv6 notation, which is how Java binds, is the IPv4 address. */
static struct address unmap(const struct address *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	struct address plain = *a;

	if (a->family == AF_INET6 && memcmp(a->bytes, mapped, sizeof(mapped)) == 0) {
		memset(plain.bytes, 0, sizeof(plain.bytes));
		memcpy(plain.bytes, a->bytes + sizeof(mapped), 4);
		plain.family = AF_INET;
	}
	return plain;
}

bool address_matches(const struct address *a, const struct address_pattern *pattern)
{
	struct address mine = unmap(a), wanted = unmap(&pattern->address);

	if (mine.port != wanted.port)
		return false;
	switch (pattern->what) {
	case ADDRESS_ANY:
		return true;
	case ADDRESS_WILDCARD:
		return is_wildcard(&mine);
	case ADDRESS_EXACT:
		return mine.family == wanted.family &&
		       memcmp(mine.bytes, wanted.bytes, sizeof(mine.bytes)) == 0;
	}
	return false;
}

bool address_same(const struct address *a, const struct address *b)
{
	return a->family == b->family && a->port == b->port && a->v6only == b->v6only &&
	       memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}
