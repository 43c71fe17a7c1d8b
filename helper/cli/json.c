// SPDX-License-Identifier: BSD-2-Clause
/* The document of `skl status -j`: status.schema.json says what it promises. */
#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include "helper/cli/address.h"
#include "helper/cli/listing.h"
#include "helper/cli/text.h"

#define DOCUMENT_VERSION 1

/* Adds a member, or remembers that there was no memory for it: `value` is NULL then, except for a JSON null.
 */
struct object {
	struct json_object *json;
	bool failed;
};

static void add(struct object *o, const char *name, struct json_object *value)
{
	if (!value || json_object_object_add(o->json, name, value) != 0) {
		json_object_put(value);
		o->failed = true;
	}
}

static void add_number(struct object *o, const char *name, uint64_t value)
{
	add(o, name, json_object_new_uint64(value));
}

static void add_text(struct object *o, const char *name, const char *value)
{
	char valid[128];

	snprintf(valid, sizeof(valid), "%s", value);
	text_make_valid(valid);
	add(o, name, json_object_new_string(valid));
}

static void add_null(struct object *o, const char *name)
{
	o->failed |= json_object_object_add(o->json, name, NULL) != 0;
}

static const char *binding_state(uint32_t state)
{
	if (state == SKL_BINDING_STALE)
		return "stale";
	return state == SKL_BINDING_SHADOWED ? "shadowed" : "live";
}

static const char *protocol_name(unsigned int protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : "udp";
}

/* {"EEXIST": 2}; NULL where memory ran out. */
static struct json_object *errors(const struct report *report, const struct skl_record_binding *b)
{
	struct object o = {.json = json_object_new_object()};
	size_t n;
	const struct skl_record_error *e = report_errors(report, b, &n);

	if (!o.json)
		return NULL;
	for (size_t i = 0; i < n; i++) {
		char name[LISTING_ERROR];

		listing_error(e[i].error, name);
		add_number(&o, name, e[i].count);
	}
	if (!o.failed)
		return o.json;
	json_object_put(o.json);
	return NULL;
}

/* Returns NULL where memory ran out. */
static struct json_object *binding(const struct report *report, const struct skl_record_binding *b)
{
	struct object o = {.json = json_object_new_object()};
	char prefix[ADDRESS_TEXT], ports[LISTING_PORTS];

	if (!o.json)
		return NULL;
	address_format_prefix(b->family, b->address, b->prefixlen, false, prefix);
	listing_ports(b, ports);
	add_number(&o, "id", b->id);
	add_text(&o, "protocol", protocol_name(b->protocol));
	add_text(&o, "prefix", prefix);
	add_text(&o, "ports", ports);
	add_number(&o, "first", b->port_first);
	add_number(&o, "last", b->port_last);
	add_text(&o, "less", b->less);
	add_number(&o, "left_out", b->left_out);
	add_number(&o, "lookups", b->lookups);
	add_number(&o, "misses", b->misses);
	add_number(&o, "errors", b->errors);
	add(&o, "errors_by_errno", errors(report, b));
	add(&o, "routed", json_object_new_boolean(b->routed));
	add_text(&o, "state", binding_state(b->state));
	if (b->state == SKL_BINDING_SHADOWED)
		add_number(&o, "shadowed_uid", b->shadowed_uid);
	else
		add_null(&o, "shadowed_uid");
	if (!o.failed)
		return o.json;
	json_object_put(o.json);
	return NULL;
}

/* Adds an element; NULL is one that there was no memory for. */
static bool append(struct json_object *array, struct json_object *element)
{
	if (element && json_object_array_add(array, element) == 0)
		return true;
	json_object_put(element);
	return false;
}

static struct json_object *listener(const struct report *report, const struct report_listener *l)
{
	const struct skl_record_listener *r = &l->record;
	struct json_object *bindings = json_object_new_array();
	struct object o = {.json = json_object_new_object()};
	const char *user = listing_user(r->uid);
	uint64_t lookups = 0, misses = 0, refused = 0;
	char address[INET6_ADDRSTRLEN] = "";

	if (!o.json || !bindings) {
		json_object_put(o.json);
		json_object_put(bindings);
		return NULL;
	}
	inet_ntop(r->family, r->address, address, sizeof(address));
	add_number(&o, "id", r->id);
	add_text(&o, "state", r->state == SKL_LISTENER_LIVE ? "live" : "stale");
	add_text(&o, "protocol", protocol_name(r->protocol));
	add_text(&o, "family", r->family == AF_INET6 ? "ipv6" : "ipv4");
	add_text(&o, "address", address);
	add_number(&o, "port", r->port);
	add(&o, "dual_stack", json_object_new_boolean(r->family == AF_INET6 && !r->v6only));
	if (r->ifindex)
		add_number(&o, "device", r->ifindex);
	else
		add_null(&o, "device");
	add_number(&o, "uid", r->uid);
	if (user)
		add_text(&o, "user", user);
	else
		add_null(&o, "user");
	add(&o, "pid", json_object_new_int(r->pid));
	add_text(&o, "program", r->program);
	add_number(&o, "members", r->members);
	add_number(&o, "age_ms", r->age_ms);
	add_number(&o, "netns", r->netns);
	for (size_t i = 0; i < l->n_bindings; i++) {
		lookups += l->bindings[i].lookups;
		misses += l->bindings[i].misses;
		refused += l->bindings[i].errors;
		o.failed |= !append(bindings, binding(report, &l->bindings[i]));
	}
	add_number(&o, "lookups", lookups);
	add_number(&o, "misses", misses);
	add_number(&o, "errors", refused);
	add(&o, "bindings", bindings);
	if (!o.failed)
		return o.json;
	json_object_put(o.json);
	return NULL;
}

static struct json_object *share_socket(const struct skl_record_share_socket *r)
{
	struct object o = {.json = json_object_new_object()};
	char address[INET6_ADDRSTRLEN] = "";

	if (!o.json)
		return NULL;
	inet_ntop(r->family, r->address, address, sizeof(address));
	add_text(&o, "protocol", protocol_name(r->protocol));
	add_text(&o, "family", r->family == AF_INET6 ? "ipv6" : "ipv4");
	add_text(&o, "address", address);
	add_number(&o, "port", r->port);
	add(&o, "dual_stack", json_object_new_boolean(r->family == AF_INET6 && !r->v6only));
	if (r->ifindex)
		add_number(&o, "device", r->ifindex);
	else
		add_null(&o, "device");
	add_number(&o, "inode", r->inode);
	add_number(&o, "holders", r->holders);
	if (!o.failed)
		return o.json;
	json_object_put(o.json);
	return NULL;
}

static struct json_object *share_member(const struct skl_record_share_member *r)
{
	struct object o = {.json = json_object_new_object()};

	if (!o.json)
		return NULL;
	add(&o, "pid", json_object_new_int(r->pid));
	add_text(&o, "program", r->program);
	add_number(&o, "sockets", r->holds);
	add_number(&o, "joined", r->joined);
	add_number(&o, "age_ms", r->age_ms);
	if (!o.failed)
		return o.json;
	json_object_put(o.json);
	return NULL;
}

static struct json_object *share(const struct report_share *s)
{
	const struct skl_record_share *r = &s->record;
	struct json_object *sockets = json_object_new_array(), *members = json_object_new_array();
	struct object o = {.json = json_object_new_object()};
	const char *user = listing_user(r->uid);

	if (!o.json || !sockets || !members) {
		json_object_put(o.json);
		json_object_put(sockets);
		json_object_put(members);
		return NULL;
	}
	add_number(&o, "id", r->id);
	add_text(&o, "name", r->name);
	add_text(&o, "state", r->waiting ? "waiting" : "live");
	add_number(&o, "uid", r->uid);
	if (user)
		add_text(&o, "user", user);
	else
		add_null(&o, "user");
	add_number(&o, "netns", r->netns);
	add_number(&o, "hold_ms", r->hold_ms);
	if (r->waiting)
		add_number(&o, "left_ms", r->left_ms);
	else
		add_null(&o, "left_ms");
	for (size_t i = 0; i < s->n_sockets; i++)
		o.failed |= !append(sockets, share_socket(&s->sockets[i]));
	for (size_t i = 0; i < s->n_members; i++)
		o.failed |= !append(members, share_member(&s->members[i]));
	add(&o, "sockets", sockets);
	add(&o, "members", members);
	if (!o.failed)
		return o.json;
	json_object_put(o.json);
	return NULL;
}

int listing_json(const struct report *report)
{
	const int style = JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
	struct json_object *listeners = json_object_new_array(), *shares = json_object_new_array();
	struct object o = {.json = json_object_new_object()};
	const char *text = NULL;

	if (!o.json || !listeners || !shares) {
		json_object_put(o.json);
		json_object_put(listeners);
		json_object_put(shares);
		return -ENOMEM;
	}
	for (size_t i = 0; i < report->n_listeners; i++)
		o.failed |= !append(listeners, listener(report, &report->listeners[i]));
	for (size_t i = 0; i < report->n_shares; i++)
		o.failed |= !append(shares, share(&report->shares[i]));
	add_number(&o, "version", DOCUMENT_VERSION);
	add(&o, "listeners", listeners);
	add(&o, "shares", shares);
	if (!o.failed)
		text = json_object_to_json_string_ext(o.json, style);
	if (text)
		puts(text);
	json_object_put(o.json);
	return text ? 0 : -ENOMEM;
}
