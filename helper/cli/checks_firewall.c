// SPDX-License-Identifier: BSD-2-Clause
/*
 * Of skl doctor: would nftables drop a covered port's first packet? Only what
 * can be told for sure is told: a rule that also looks at something else than
 * the port may or may not match, and ends nothing.
 */
#include <errno.h>
#include <json-c/json.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/cli/checks.h"

#define RULESET_MAX (4u << 20)

enum effect { GOES_ON, ACCEPTS, DROPS, UNSURE };

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	if (o && json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, name, &value);
	return value;
}

static const char *text_of(struct json_object *o, const char *name)
{
	struct json_object *value = member(o, name);

	return value && json_object_is_type(value, json_type_string) ? json_object_get_string(value) : "";
}

static size_t count(struct json_object *array)
{
	return json_object_is_type(array, json_type_array) ? json_object_array_length(array) : 0;
}

/* 777, {"range": [700, 799]}, {"set": [...]} */
static bool has_port(struct json_object *value, int port)
{
	struct json_object *range = member(value, "range"), *set = member(value, "set");

	if (json_object_is_type(value, json_type_int))
		return json_object_get_int(value) == port;
	if (count(range) == 2)
		return json_object_get_int(json_object_array_get_idx(range, 0)) <= port &&
		       port <= json_object_get_int(json_object_array_get_idx(range, 1));
	for (size_t i = 0; i < count(set); i++) {
		if (has_port(json_object_array_get_idx(set, i), port))
			return true;
	}
	return false;
}

/* Does this condition hold for the first packet from afar to the port? 1 yes, 0 no, -1 who knows. */
static int holds(struct json_object *match, const char *protocol, int port)
{
	struct json_object *left = member(match, "left"), *right = member(match, "right");
	struct json_object *payload = member(left, "payload"), *meta = member(left, "meta");
	bool negated = strcmp(text_of(match, "op"), "!=") == 0;

	if (payload && strcmp(text_of(payload, "field"), "dport") == 0) {
		if (strcmp(text_of(payload, "protocol"), protocol) != 0 &&
		    strcmp(text_of(payload, "protocol"), "th") != 0)
			return 0;
		return has_port(right, port) != negated;
	}
	if (meta && strcmp(text_of(meta, "key"), "iifname") == 0 && !negated &&
	    json_object_is_type(right, json_type_string) && strcmp(json_object_get_string(right), "lo") == 0)
		return 0;
	if (member(left, "ct") && strcmp(text_of(member(left, "ct"), "key"), "state") == 0 && !negated)
		return strstr(json_object_to_json_string(right), "new") ? 1 : 0;
	return -1;
}

static enum effect effect_of_rule(struct json_object *rule, const char *protocol, int port)
{
	struct json_object *list = member(rule, "expr");
	bool sure = true;

	for (size_t i = 0; i < count(list); i++) {
		struct json_object *e = json_object_array_get_idx(list, i), *match = member(e, "match");
		int yes = match ? holds(match, protocol, port) : 1;

		if (yes == 0)
			return GOES_ON;
		sure &= yes > 0;
		if (json_object_object_get_ex(e, "accept", NULL))
			return sure ? ACCEPTS : UNSURE;
		if (json_object_object_get_ex(e, "drop", NULL) ||
		    json_object_object_get_ex(e, "reject", NULL))
			return sure ? DROPS : GOES_ON;
		if (member(e, "jump") || member(e, "goto") || member(e, "vmap"))
			return UNSURE;
	}
	return GOES_ON;
}

static bool belongs_to(struct json_object *rule, struct json_object *chain)
{
	return strcmp(text_of(rule, "family"), text_of(chain, "family")) == 0 &&
	       strcmp(text_of(rule, "table"), text_of(chain, "table")) == 0 &&
	       strcmp(text_of(rule, "chain"), text_of(chain, "name")) == 0;
}

static enum effect effect_of_chain(struct json_object *ruleset, struct json_object *chain,
				   const char *protocol, int port)
{
	for (size_t i = 0; i < count(ruleset); i++) {
		struct json_object *rule = member(json_object_array_get_idx(ruleset, i), "rule");
		enum effect effect;

		if (!rule || !belongs_to(rule, chain))
			continue;
		effect = effect_of_rule(rule, protocol, port);
		if (effect != GOES_ON)
			return effect;
	}
	return strcmp(text_of(chain, "policy"), "drop") == 0 ? DROPS : ACCEPTS;
}

/* One port of each binding stands for all: firewalls name ports or nothing. */
static unsigned int check_binding(struct checks *c, struct json_object *ruleset,
				  const struct skl_record_binding *b)
{
	const char *protocol = b->protocol == IPPROTO_UDP ? "udp" : "tcp";
	unsigned int dropped = 0;

	for (size_t i = 0; i < count(ruleset); i++) {
		struct json_object *chain = member(json_object_array_get_idx(ruleset, i), "chain");
		const char *family = text_of(chain, "family");
		char mend[256];

		if (!chain || strcmp(text_of(chain, "hook"), "input") != 0 ||
		    strcmp(text_of(chain, "type"), "filter") != 0)
			continue;
		if (strcmp(family, "inet") != 0 && strcmp(family, b->family == AF_INET6 ? "ip6" : "ip") != 0)
			continue;
		if (effect_of_chain(ruleset, chain, protocol, b->port_first) != DROPS)
			continue;
		snprintf(mend, sizeof(mend), "nft insert rule %s %s %s %s dport %u accept", family,
			 text_of(chain, "table"), text_of(chain, "name"), protocol, b->port_first);
		check_found(c, "firewall", CHECK_PROBLEM, mend,
			    "nftables drops %s port %u from afar (chain %s %s %s)", protocol, b->port_first,
			    family, text_of(chain, "table"), text_of(chain, "name"));
		dropped++;
	}
	return dropped;
}

static unsigned int check_all(struct checks *c, struct json_object *ruleset)
{
	unsigned int dropped = 0;
	struct stat own;

	if (stat("/proc/self/ns/net", &own) < 0)
		return 0;
	for (size_t i = 0; i < c->report.n_listeners; i++) {
		const struct report_listener *l = &c->report.listeners[i];

		for (size_t k = 0; l->record.netns == own.st_ino && k < l->n_bindings; k++)
			dropped += check_binding(c, ruleset, &l->bindings[k]);
	}
	return dropped;
}

void check_firewall(struct checks *c)
{
	char *out = malloc(RULESET_MAX);
	struct json_object *document;
	int status;

	if (!out)
		return;
	status = check_command((char *[]){"nft", "-j", "list", "ruleset", NULL}, NULL, out, RULESET_MAX);
	document = status == 0 ? json_tokener_parse(out) : NULL;
	if (status < 0 || status == 127)
		check_found(c, "firewall", CHECK_UNKNOWN, "install nftables",
			    "nft is not there, so its rules were not looked at");
	else if (!document)
		check_found(c, "firewall", CHECK_UNKNOWN, "run skl doctor as root",
			    "the rules of nftables cannot be listed");
	else if (check_all(c, member(document, "nftables")) == 0)
		check_found(c, "firewall", CHECK_OK, NULL, "no rule of nftables surely drops a covered port");
	json_object_put(document);
	free(out);
}
