// SPDX-License-Identifier: BSD-2-Clause
/* The values in a policy file: lists have commas or blanks between their items, or both. */
#include "helper/rules/grants_parts.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define ID_NAME	  64 /* of a user or group, with its NUL */
#define QUOTA_MAX 1000000

/* What a line grants, in words; cut where it gets long. */
struct words {
	size_t length;
	char text[400];
};

static void add(struct words *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct words *w, const char *format, ...)
{
	size_t room = sizeof(w->text) - w->length;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(w->text + w->length, room, format, args);
	va_end(args);
	if (n > 0 && (size_t)n < room) {
		w->length += (size_t)n;
		return;
	}
	memcpy(w->text + sizeof(w->text) - 4, "...", 4);
	w->length = sizeof(w->text) - 1;
}

static bool is_separator(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

static bool next_item(struct text *rest, struct text *item)
{
	while (rest->length && is_separator(*rest->at)) {
		rest->at++;
		rest->length--;
	}
	*item = (struct text){rest->at, 0};
	while (item->length < rest->length && !is_separator(rest->at[item->length]))
		item->length++;
	rest->at += item->length;
	rest->length -= item->length;
	return item->length > 0;
}

/* Also of an empty list. */
static bool is_empty(struct reader *r, struct text value, const char *example)
{
	struct text item;

	if (next_item(&value, &item))
		return false;
	reader_mistake(r, r->line, "nothing stands after the =: write it as %s", example);
	return true;
}

/* Returns whether it is a number at all; *out is UINT32_MAX where it is too large. */
static bool parse_number(struct text t, uint32_t *out)
{
	uint64_t n = 0;

	for (size_t i = 0; i < t.length; i++) {
		if (t.at[i] < '0' || t.at[i] > '9')
			return false;
		n = n * 10 + (uint64_t)(t.at[i] - '0');
		if (n > UINT32_MAX)
			n = UINT32_MAX;
	}
	*out = (uint32_t)n;
	return t.length > 0;
}

static bool find_id(struct reader *r, struct text item, const char *kind, const char *database,
		    int (*find)(void *context, const char *name, uint32_t *id), uint32_t *id)
{
	char name[ID_NAME];
	int err;

	if (parse_number(item, id)) {
		if (*id != UINT32_MAX)
			return true;
		reader_mistake(r, r->line, "\"%.*s\" is no %s: numbers end at %u", SHOWN(item), kind,
			       UINT32_MAX - 1);
		return false;
	}
	if (*item.at == '#') {
		reader_mistake(r, r->line, "\"%.*s\": a comment behind a value begins with ;", SHOWN(item));
		return false;
	}
	if (item.length >= sizeof(name)) {
		err = -ENOENT;
	} else {
		memcpy(name, item.at, item.length);
		name[item.length] = '\0';
		err = find(r->names->context, name, id);
	}
	if (err == -ENOENT)
		reader_mistake(r, r->line,
			       "there is no %s \"%.*s\": write a name that `getent %s` lists, or a number",
			       kind, SHOWN(item), database);
	else if (err)
		reader_mistake(r, r->line, "the %s \"%.*s\" cannot be looked up: %s; a number needs no look",
			       kind, SHOWN(item), strerror(-err));
	return err == 0;
}

static void add_id(struct words *w, struct text item, const char *what, uint32_t id)
{
	uint32_t same;

	if (parse_number(item, &same))
		add(w, "%s%s %u", w->length ? ", " : "", what, id);
	else
		add(w, "%s%.*s (%s %u)", w->length ? ", " : "", SHOWN(item), what, id);
}

void read_users(struct reader *r, struct text value)
{
	struct grant *g = reader_grant(r);
	struct words words = {0};
	struct text item;
	uint32_t id;

	if (is_empty(r, value, "users = alice, 1001"))
		return;
	while (next_item(&value, &item)) {
		if (!find_id(r, item, "user", "passwd", r->names->user, &id))
			continue;
		if (!reader_grow(r, (void **)&g->users, g->n_users, sizeof(id)))
			return;
		g->users[g->n_users++] = id;
		add_id(&words, item, "uid", id);
	}
	if (words.length)
		reader_tell(r, "is for the users %s", words.text);
}

void read_groups(struct reader *r, struct text value)
{
	struct grant *g = reader_grant(r);
	struct words words = {0};
	struct text item;
	uint32_t id;

	if (is_empty(r, value, "groups = www-data"))
		return;
	while (next_item(&value, &item)) {
		if (!find_id(r, item, "group", "group", r->names->group, &id))
			continue;
		if (!reader_grow(r, (void **)&g->groups, g->n_groups, sizeof(id)))
			return;
		g->groups[g->n_groups++] = id;
		add_id(&words, item, "gid", id);
	}
	if (words.length)
		reader_tell(r, "is for every process with one of the groups %s", words.text);
}

void read_protocols(struct reader *r, struct text value)
{
	struct grant *g = reader_grant(r);
	struct text item;

	if (is_empty(r, value, "protocols = tcp"))
		return;
	while (next_item(&value, &item)) {
		if (text_is(item, "tcp"))
			g->tcp = true;
		else if (text_is(item, "udp"))
			g->udp = true;
		else
			reader_mistake(r, r->line, "\"%.*s\" is no protocol: there are tcp and udp",
				       SHOWN(item));
	}
	if (g->tcp || g->udp)
		reader_tell(r, "its ports are those of %s",
			    g->tcp && g->udp ? "tcp and udp"
			    : g->tcp	     ? "tcp"
					     : "udp");
}

/* The words of items.h begin with the key and "Invalid argument": the line says that here. */
static const char *reason(const struct say *s)
{
	const char *at = strstr(s->text, ": ");

	at = at ? strstr(at + 2, ": ") : NULL;
	return at ? at + 2 : s->text;
}

void read_ports(struct reader *r, struct text value)
{
	struct grant *g = reader_grant(r);
	struct words words = {0};
	struct text item;

	if (is_empty(r, value, "ports = 80,443,8000-8099"))
		return;
	while (next_item(&value, &item)) {
		char shown[PORTS_TEXT];
		struct port_item parsed;
		struct say why = {0};

		if (item_ports(item, &parsed, &why, "ports") < 0) {
			reader_mistake(r, r->line, "%s: write ports as 80,443,8000-8099", reason(&why));
			continue;
		}
		if (parsed.protocol) {
			reader_mistake(r, r->line,
				       "\"%.*s\": here the protocol is a line of its own, protocols = %s",
				       SHOWN(item), parsed.protocol == IPPROTO_TCP ? "tcp" : "udp");
			continue;
		}
		if (!reader_grow(r, (void **)&g->ports, g->n_ports, sizeof(*g->ports)))
			return;
		g->ports[g->n_ports++] = (struct port_span){parsed.first, parsed.last};
		ports_format(parsed.first, parsed.last, shown);
		add(&words, "%s%s", words.length ? ", " : "", shown);
	}
	if (words.length)
		reader_tell(r, "ports that may be covered: %s", words.text);
}

void read_cidrs(struct reader *r, struct text value)
{
	struct grant *g = reader_grant(r);
	struct words words = {0};
	struct text item;

	if (is_empty(r, value, "cidrs = 192.0.2.0/24 2001:db8::/64"))
		return;
	while (next_item(&value, &item)) {
		char shown[PREFIX_TEXT];
		struct prefix parsed;
		bool masked = false;

		if (prefix_parse(item.at, item.length, &parsed, &masked) < 0) {
			reader_mistake(
				r, r->line,
				"\"%.*s\" is no address or prefix: write it as 192.0.2.0/24 or 2001:db8::/64",
				SHOWN(item));
			continue;
		}
		prefix_format(&parsed, shown);
		if (masked) {
			reader_mistake(
				r, r->line,
				"\"%.*s\" has bits set beyond its prefix: %s is meant, or another length",
				SHOWN(item), shown);
			continue;
		}
		if (!reader_grow(r, (void **)&g->cidrs, g->n_cidrs, sizeof(parsed)))
			return;
		g->cidrs[g->n_cidrs++] = parsed;
		add(&words, "%s%s", words.length ? ", " : "", shown);
	}
	if (words.length)
		reader_tell(r, "only on these addresses: %s", words.text);
}

/* 1, 0, or -1 with the mistake. */
static int read_yes(struct reader *r, struct text value, const char *key)
{
	if (text_is(value, "yes"))
		return 1;
	if (text_is(value, "no"))
		return 0;
	reader_mistake(r, r->line, "%s = %.*s: write yes or no", key, SHOWN(value));
	return -1;
}

void read_routes(struct reader *r, struct text value)
{
	int yes = read_yes(r, value, "routes");

	reader_grant(r)->routes = yes != 0;
	if (yes > 0)
		reader_tell(r, "local routes may be added for these addresses");
}

void read_takeover(struct reader *r, struct text value)
{
	int yes = read_yes(r, value, "takeover");

	reader_grant(r)->takeover = yes != 0;
	if (yes > 0)
		reader_tell(r, "a single one of these ports may be taken from the user who has it");
}

void read_quota(struct reader *r, enum quota q, struct text value)
{
	uint32_t least = q == QUOTA_REQUESTS || q == QUOTA_CONNECTIONS ? 1 : 0, n;

	if (!parse_number(value, &n) || n < least || n > QUOTA_MAX) {
		reader_mistake(r, r->line, "%s = %.*s: write a number from %u to %d", quota_name(q),
			       SHOWN(value), least, QUOTA_MAX);
		return;
	}
	if (r->in_default)
		r->policy->quotas[q] = n;
	else
		reader_grant(r)->quotas[q] = n;
	reader_tell(r, "quota of each of these users: %u %s", n, quota_name(q));
}
