// SPDX-License-Identifier: BSD-2-Clause
#include "helper/rules/request.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "helper/rules/items.h"

static int parse_port_list(struct text value, struct port_item **items, size_t *n, struct say *s,
			   const char *name)
{
	struct text item;
	int err;

	*items = calloc(text_count(value, ','), sizeof(**items));
	if (!*items)
		return say_error(s, ENOMEM, name, "no memory");
	while (text_next(&value, ',', &item)) {
		err = item_ports(item, &(*items)[*n], s, name);
		if (err)
			return err;
		++*n;
	}
	return 0;
}

static int parse_SKL_PORTS(struct text value, struct request *r, struct say *s)
{
	return parse_port_list(value, &r->ports, &r->n_ports, s, "SKL_PORTS");
}

static int parse_SKL_FOR(struct text value, struct request *r, struct say *s)
{
	int err = parse_port_list(value, &r->only, &r->n_only, s, "SKL_FOR");
	char ports[PORTS_TEXT];

	for (size_t i = 0; !err && i < r->n_only; i++) {
		if (r->only[i].first == r->only[i].last)
			continue;
		ports_format(r->only[i].first, r->only[i].last, ports);
		err = say_error(s, EINVAL, "SKL_FOR",
				"\"%s\" is not a single port that the program binds: no range and no * here",
				ports);
	}
	return err;
}

static int parse_SKL_CIDRS(struct text value, struct request *r, struct say *s)
{
	struct text item;
	int err;

	r->cidrs = calloc(text_count(value, ','), sizeof(*r->cidrs));
	if (!r->cidrs)
		return say_error(s, ENOMEM, "SKL_CIDRS", "no memory");
	while (text_next(&value, ',', &item)) {
		err = item_prefix(item, &r->cidrs[r->n_cidrs], s, "SKL_CIDRS");
		if (err)
			return err;
		r->n_cidrs++;
	}
	return 0;
}

/* Splits "192.0.2.0/24:80-89,443" or "[2001:db8::]/64:*" into the prefix, without brackets, and the ports. */
static bool split_bind(struct text item, struct text *prefix, char buffer[PREFIX_TEXT], struct text *ports)
{
	const char *close = NULL, *colon;

	if (item.length && item.at[0] == '[') {
		close = memchr(item.at, ']', item.length);
		if (!close)
			return false;
	}
	colon = close ? memchr(close, ':', item.length - (size_t)(close - item.at))
		      : memchr(item.at, ':', item.length);
	if (!colon)
		return false;
	ports->at = colon + 1;
	ports->length = item.length - (size_t)(colon + 1 - item.at);
	/* a second colon: an IPv6 address without brackets */
	if (ports->length == 0 || memchr(ports->at, ':', ports->length))
		return false;

	if (!close) {
		prefix->at = item.at;
		prefix->length = (size_t)(colon - item.at);
		return prefix->length > 0;
	}
	if (close == item.at + 1 || (close[1] != ':' && close[1] != '/'))
		return false;
	prefix->length = (size_t)(colon - item.at) - 2;
	if (prefix->length >= PREFIX_TEXT)
		return false;
	memcpy(buffer, item.at + 1, (size_t)(close - item.at) - 1);
	memcpy(buffer + (close - item.at) - 1, close + 1, (size_t)(colon - close) - 1);
	prefix->at = buffer;
	return true;
}

static int parse_SKL_BIND(struct text value, struct request *r, struct say *s)
{
	struct text item, prefix, ports, one;
	char buffer[PREFIX_TEXT];
	int err;

	r->binds = calloc(text_count(value, ' ') + text_count(value, ','), sizeof(*r->binds));
	if (!r->binds)
		return say_error(s, ENOMEM, "SKL_BIND", "no memory");
	while (text_next(&value, ' ', &item)) {
		struct prefix parsed;

		if (item.length == 0)
			continue;
		if (!split_bind(item, &prefix, buffer, &ports))
			return say_error(s, EINVAL, "SKL_BIND",
					 "\"%.*s\" is not CIDR:PORTS, as 192.0.2.0/24:80-89,443/tcp or "
					 "[2001:db8::]/64:*",
					 SHOWN(item));
		err = item_prefix(prefix, &parsed, s, "SKL_BIND");
		if (err)
			return err;
		while (text_next(&ports, ',', &one)) {
			struct bind_item *b = &r->binds[r->n_binds];

			err = item_ports(one, &b->ports, s, "SKL_BIND");
			if (err)
				return err;
			b->prefix = parsed;
			r->n_binds++;
		}
	}
	return 0;
}

/* The shim goes by it; here it is only looked at, so that a mistake does not stay unseen. */
static int check_SKL_ON_ERROR(struct text value, struct request *r, struct say *s)
{
	if (text_is(value, "fail") || text_is(value, "warn"))
		return 0;
	return say_error(s, EINVAL, "SKL_ON_ERROR", "\"%.*s\" is neither fail nor warn", SHOWN(value));
}

#define HOLD_MAX_MS 3600000u

static int check_SKL_WAIT(struct text value, struct request *r, struct say *s)
{
	uint64_t ms;

	if (item_time(value, &ms))
		return 0;
	return say_error(s, EINVAL, "SKL_WAIT", "\"%.*s\" is not a time, as 5s or 500ms", SHOWN(value));
}

static bool names_a_share(struct text value)
{
	for (size_t i = 0; i < value.length; i++) {
		char c = value.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      c == '.' || c == '_' || c == '-'))
			return false;
	}
	return value.length < SHARE_NAME;
}

static int parse_SKL_SHARE(struct text value, struct request *r, struct say *s)
{
	if (!names_a_share(value))
		return say_error(
			s, EINVAL, "SKL_SHARE",
			"\"%.*s\" is not a name: 1 to 64 letters, digits, dots, underscores and dashes",
			SHOWN(value));
	memcpy(r->share, value.at, value.length);
	return 0;
}

static int parse_SKL_HOLD(struct text value, struct request *r, struct say *s)
{
	uint64_t ms;

	if (!item_time(value, &ms))
		return say_error(s, EINVAL, "SKL_HOLD", "\"%.*s\" is not a time, as 30s, 500ms or 2m",
				 SHOWN(value));
	if (ms > HOLD_MAX_MS)
		return say_error(s, EINVAL, "SKL_HOLD", "\"%.*s\" is more than an hour", SHOWN(value));
	r->hold_ms = (uint32_t)ms;
	r->has_hold = true;
	return 0;
}

static int shim_only(struct text value, struct request *r, struct say *s)
{
	return 0;
}

static const struct {
	const char *name;
	int (*parse)(struct text value, struct request *r, struct say *s);
} variables[] = {
	{"SKL_PORTS", parse_SKL_PORTS},
	{"SKL_CIDRS", parse_SKL_CIDRS},
	{"SKL_BIND", parse_SKL_BIND},
	{"SKL_FOR", parse_SKL_FOR},
	{"SKL_SHARE", parse_SKL_SHARE},
	{"SKL_HOLD", parse_SKL_HOLD},
	{"SKL_ON_ERROR", check_SKL_ON_ERROR},
	{"SKL_WAIT", check_SKL_WAIT},
	{"SKL_HELPER", shim_only},
	{"SKL_DEBUG", shim_only},
	{"SKL_DISABLE", shim_only},
};

#define N_VARIABLES (sizeof(variables) / sizeof(variables[0]))

static int parse_variable(struct text line, struct request *r, bool seen[N_VARIABLES], struct say *s)
{
	const char *equals = memchr(line.at, '=', line.length);
	struct text name = {line.at, equals ? (size_t)(equals - line.at) : line.length};

	if (!equals)
		return say_error(s, EINVAL, "request", "\"%.*s\" is not NAME=value", SHOWN(line));
	for (size_t i = 0; i < N_VARIABLES; i++) {
		struct text value = {equals + 1, line.length - name.length - 1};

		if (!text_is(name, variables[i].name))
			continue;
		/* as getenv(): the first one counts */
		if (seen[i])
			return 0;
		seen[i] = true;
		return value.length ? variables[i].parse(value, r, s) : 0;
	}
	return say_error(s, EINVAL, "environment",
			 "%.*s is not known to this helper (version " SKL_VERSION ")", SHOWN(name));
}

int request_parse(const char *text, size_t length, struct request *out, struct say *s)
{
	struct text rest = {text, length}, line;
	bool seen[N_VARIABLES] = {0};
	int err = 0;

	*out = (struct request){0};
	if (length == 0)
		return 0;
	if (text[length - 1] != '\0')
		return say_error(s, EINVAL, "request", "the text does not end with NUL");
	rest.length--;
	while (!err && text_next(&rest, '\0', &line))
		err = parse_variable(line, out, seen, s);
	if (!err && out->has_hold && !out->share[0])
		err = say_error(s, EINVAL, "SKL_HOLD",
				"it is for the listener of a share, and SKL_SHARE names none");
	return err;
}

void request_free(struct request *r)
{
	free(r->ports);
	free(r->cidrs);
	free(r->binds);
	free(r->only);
	*r = (struct request){0};
}

bool request_wants_coverage(const struct request *r)
{
	return r->n_ports || r->n_cidrs || r->n_binds;
}

bool request_has_range(const struct request *r)
{
	for (size_t i = 0; i < r->n_ports; i++) {
		if (r->ports[i].first != r->ports[i].last)
			return true;
	}
	for (size_t i = 0; i < r->n_binds; i++) {
		if (r->binds[i].ports.first != r->binds[i].ports.last)
			return true;
	}
	return false;
}

bool request_is_for(const struct request *r, const struct listener *l)
{
	for (size_t i = 0; i < r->n_only; i++) {
		if (r->only[i].first == l->port &&
		    (r->only[i].protocol == 0 || r->only[i].protocol == l->protocol))
			return true;
	}
	return r->n_only == 0;
}
