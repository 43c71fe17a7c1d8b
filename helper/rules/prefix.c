// SPDX-License-Identifier: BSD-2-Clause
#include "helper/rules/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

static unsigned int family_bits(int family)
{
	return family == AF_INET ? 32 : 128;
}

/* Clears the bits beyond the prefix; tells whether one was set. */
static bool clear_host_bits(struct prefix *p)
{
	bool was_set = false;

	for (unsigned int bit = p->length; bit < 128; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);

		if (p->address[bit / 8] & mask) {
			p->address[bit / 8] &= (uint8_t)~mask;
			was_set = true;
		}
	}
	return was_set;
}

static void unmap(struct prefix *p)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (p->family != AF_INET6 || p->length < 96 || memcmp(p->address, mapped, sizeof(mapped)) != 0)
		return;
	p->family = AF_INET;
	p->length -= 96;
	memcpy(p->address, p->address + 12, 4);
	memset(p->address + 4, 0, 12);
}

/* A length in bits as people write it: digits only, no sign, no leading zero but "0". */
static int parse_length(const char *text, unsigned int most, uint8_t *out)
{
	unsigned int value = 0;
	size_t n = strlen(text);

	if (n == 0 || n > 3 || (n > 1 && text[0] == '0'))
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		value = value * 10 + (unsigned int)(*text - '0');
	}
	if (value > most)
		return -EINVAL;
	*out = (uint8_t)value;
	return 0;
}

int prefix_parse(const char *text, size_t length, struct prefix *out, bool *masked)
{
	char copy[PREFIX_TEXT], *slash;

	*out = (struct prefix){0};
	if (length == 0 || length >= sizeof(copy) || memchr(text, '\0', length))
		return -EINVAL;
	memcpy(copy, text, length);
	copy[length] = '\0';

	slash = strchr(copy, '/');
	if (slash)
		*slash = '\0';
	if (inet_pton(AF_INET, copy, out->address) == 1)
		out->family = AF_INET;
	else if (inet_pton(AF_INET6, copy, out->address) == 1)
		out->family = AF_INET6;
	else
		return -EINVAL;

	out->length = (uint8_t)family_bits(out->family);
	if (slash && parse_length(slash + 1, out->length, &out->length) < 0)
		return -EINVAL;
	unmap(out);
	*masked = clear_host_bits(out);
	return 0;
}

void prefix_format(const struct prefix *p, char out[PREFIX_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(p->family, p->address, address, sizeof(address));
	snprintf(out, PREFIX_TEXT, "%s/%u", address, p->length);
}

struct prefix prefix_host(int family, const void *address)
{
	struct prefix p = {.family = (uint8_t)family, .length = (uint8_t)family_bits(family)};

	memcpy(p.address, address, p.length / 8);
	unmap(&p);
	return p;
}

struct prefix prefix_bound(int family, const void *address)
{
	static const uint8_t everything[16];
	struct prefix p = prefix_host(family, address);

	return memcmp(p.address, everything, sizeof(p.address)) == 0 ? prefix_any(p.family) : p;
}

struct prefix prefix_any(int family)
{
	return (struct prefix){.family = (uint8_t)family};
}

bool prefix_covers(const struct prefix *wide, const struct prefix *narrow)
{
	unsigned int bytes = wide->length / 8, bits = wide->length % 8;

	if (wide->family != narrow->family || wide->length > narrow->length)
		return false;
	if (memcmp(wide->address, narrow->address, bytes) != 0)
		return false;
	return bits == 0 || ((wide->address[bytes] ^ narrow->address[bytes]) >> (8 - bits)) == 0;
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	return prefix_covers(a, b) || prefix_covers(b, a);
}

bool prefix_same(const struct prefix *a, const struct prefix *b)
{
	return a->family == b->family && a->length == b->length && memcmp(a->address, b->address, 16) == 0;
}
