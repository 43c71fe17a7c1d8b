// SPDX-License-Identifier: BSD-2-Clause
/* A decision as one line of JSON. skl(1) says which members there are. */
#include "helper/cli/decision.h"

#include <arpa/inet.h>
#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "helper/cli/address.h"
#include "helper/cli/listing.h"
#include "helper/cli/text.h"
#include "helper/rules/table.h"

static bool add(struct json_object *o, const char *name, struct json_object *value)
{
	if (value && json_object_object_add(o, name, value) == 0)
		return true;
	json_object_put(value);
	return false;
}

static bool add_text(struct json_object *o, const char *name, const char *value)
{
	return add(o, name, json_object_new_string(value));
}

static bool add_number(struct json_object *o, const char *name, uint64_t value)
{
	return add(o, name, json_object_new_uint64(value));
}

static bool add_time(struct json_object *o, uint64_t ns)
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm utc;
	char day[24], text[48];

	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
	snprintf(text, sizeof(text), "%s.%06uZ", day, (unsigned int)(ns / 1000 % 1000000));
	return add_text(o, "time", text);
}

static bool add_address(struct json_object *o, const char *name, const struct skl_record_decision *d,
			const uint8_t bytes[16])
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(d->family, bytes, text, sizeof(text));
	return add_text(o, name, text);
}

static const char *name_of(uint32_t kind)
{
	static const char *const names[] = {
		[SKL_DECISION_GIVEN] = "given",		[SKL_DECISION_GONE] = "gone",
		[SKL_DECISION_REFUSED] = "refused",	[SKL_DECISION_ELSEWHERE] = "elsewhere",
		[SKL_DECISION_OWN_PORT] = "own-port",	[SKL_DECISION_NO_PREFIX] = "no-prefix",
		[SKL_DECISION_UNCOVERED] = "uncovered",
	};

	return kind > 0 && kind < sizeof(names) / sizeof(names[0]) ? names[kind] : "unknown";
}

static bool add_listener(struct json_object *o, const struct skl_record_decision *d)
{
	char program[sizeof(d->program)];

	memcpy(program, d->program, sizeof(program));
	text_make_valid(program);
	return add_number(o, "listener", d->listener) && add_number(o, "uid", d->uid) &&
	       add(o, "pid", json_object_new_int(d->pid)) && add_text(o, "program", program);
}

static bool add_binding(struct json_object *o, const struct skl_record_decision *d)
{
	char prefix[ADDRESS_TEXT], ports[PORTS_TEXT];

	ports_format(d->binding_first, d->binding_last, ports);
	address_format_prefix(d->family, d->prefix, d->prefixlen, false, prefix);
	return add_number(o, "binding", d->binding) && add_text(o, "prefix", prefix) &&
	       add_text(o, "ports", ports);
}

static bool add_error(struct json_object *o, const struct skl_record_decision *d)
{
	char name[LISTING_ERROR];

	listing_error(d->error, name);
	return add_text(o, "error", name);
}

/* What there is not is left out. */
static bool fill(struct json_object *o, const struct skl_record_decision *d)
{
	return add_time(o, d->time_ns) &&
	       add_text(o, "protocol", d->protocol == IPPROTO_UDP ? "udp" : "tcp") &&
	       add_address(o, "client", d, d->client) && add_number(o, "client_port", d->client_port) &&
	       add_address(o, "address", d, d->address) && add_number(o, "port", d->port) &&
	       (!d->ifindex || add_number(o, "ifindex", d->ifindex)) &&
	       add_text(o, "decision", name_of(d->kind)) && (!d->error || add_error(o, d)) &&
	       (!d->listener || add_listener(o, d)) && (!d->binding || add_binding(o, d));
}

int decision_print_json(const struct skl_record_decision *d)
{
	struct json_object *o = json_object_new_object();
	const char *line = NULL;

	if (o && fill(o, d))
		line = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
								 JSON_C_TO_STRING_NOSLASHESCAPE);
	if (line)
		puts(line);
	json_object_put(o);
	return line ? 0 : -ENOMEM;
}
