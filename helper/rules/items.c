// SPDX-License-Identifier: BSD-2-Clause
#include "helper/rules/items.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#define TIME_DIGITS 6

bool text_is(struct text t, const char *word)
{
	return t.length == strlen(word) && memcmp(t.at, word, t.length) == 0;
}

bool text_next(struct text *rest, char separator, struct text *item)
{
	const char *end;

	if (!rest->at)
		return false;
	item->at = rest->at;
	end = memchr(rest->at, separator, rest->length);
	if (!end) {
		item->length = rest->length;
		rest->at = NULL;
		return true;
	}
	item->length = (size_t)(end - rest->at);
	rest->at = end + 1;
	rest->length -= item->length + 1;
	return true;
}

size_t text_count(struct text t, char separator)
{
	size_t n = 1;

	for (size_t i = 0; i < t.length; i++)
		n += t.at[i] == separator;
	return n;
}

static int parse_port(struct text t, uint16_t *out, struct say *s, const char *name, struct text item)
{
	uint32_t value = 0;

	if (t.length == 0) {
		say_error(s, EINVAL, name, "\"%.*s\" is not a port", SHOWN(item));
		return -EINVAL;
	}
	for (size_t i = 0; i < t.length; i++) {
		if (t.at[i] < '0' || t.at[i] > '9')
			return say_error(s, EINVAL, name, "\"%.*s\" is not a port, a range of ports or *",
					 SHOWN(item));
		value = value * 10 + (uint32_t)(t.at[i] - '0');
		if (value > 65535)
			return say_error(s, EINVAL, name, "\"%.*s\": ports end at 65535", SHOWN(item));
	}
	if (value == 0)
		return say_error(s, EINVAL, name, "\"%.*s\": ports begin at 1", SHOWN(item));
	*out = (uint16_t)value;
	return 0;
}

int item_ports(struct text item, struct port_item *out, struct say *s, const char *name)
{
	struct text first = item, protocol = {0}, last;
	const char *slash, *dash;
	int err;

	if (item.length == 0)
		return say_error(s, EINVAL, name,
				 "an item is empty: write ports with one comma between two, as in 7,77,777");
	out->protocol = 0;
	slash = memchr(item.at, '/', item.length);
	if (slash) {
		protocol.at = slash + 1;
		protocol.length = item.length - (size_t)(slash + 1 - item.at);
		first.length = (size_t)(slash - item.at);
		if (text_is(protocol, "tcp"))
			out->protocol = IPPROTO_TCP;
		else if (text_is(protocol, "udp"))
			out->protocol = IPPROTO_UDP;
		else
			return say_error(s, EINVAL, name, "\"%.*s\": after the slash comes tcp or udp",
					 SHOWN(item));
	}
	if (text_is(first, "*")) {
		out->first = 1;
		out->last = 65535;
		return 0;
	}
	dash = memchr(first.at, '-', first.length);
	if (!dash) {
		err = parse_port(first, &out->first, s, name, item);
		out->last = out->first;
		return err;
	}
	last.at = dash + 1;
	last.length = first.length - (size_t)(dash + 1 - first.at);
	first.length = (size_t)(dash - first.at);
	err = parse_port(first, &out->first, s, name, item);
	if (!err)
		err = parse_port(last, &out->last, s, name, item);
	if (!err && out->first > out->last)
		return say_error(s, EINVAL, name, "\"%.*s\": the range is reversed", SHOWN(item));
	return err;
}

int item_prefix(struct text item, struct prefix *out, struct say *s, const char *name)
{
	char shown[PREFIX_TEXT];
	bool masked;

	if (item.length == 0)
		return say_error(s, EINVAL, name, "an item is empty");
	if (prefix_parse(item.at, item.length, out, &masked) < 0)
		return say_error(s, EINVAL, name,
				 "\"%.*s\" is not an address or prefix, as 192.0.2.0/24 or 2001:db8::/64",
				 SHOWN(item));
	if (masked) {
		prefix_format(out, shown);
		say(s, "%s: %.*s has bits set beyond its prefix: taken as %s", name, SHOWN(item), shown);
	}
	return 0;
}

bool item_time(struct text item, uint64_t *ms)
{
	size_t digits = 0;
	struct text unit;
	uint64_t n = 0;

	while (digits < item.length && item.at[digits] >= '0' && item.at[digits] <= '9') {
		if (digits == TIME_DIGITS)
			return false;
		n = n * 10 + (uint64_t)(item.at[digits++] - '0');
	}
	unit = (struct text){item.at + digits, item.length - digits};
	if (text_is(unit, "") || text_is(unit, "s"))
		*ms = n * 1000;
	else if (text_is(unit, "ms"))
		*ms = n;
	else if (text_is(unit, "m"))
		*ms = n * 60000;
	else
		return false;
	return digits > 0;
}
