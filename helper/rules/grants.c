// SPDX-License-Identifier: BSD-2-Clause
/*
 * The lines of a policy file. inih splits them; that each is seen, numbered and
 * either understood or named as a mistake is seen to here, since inih names only
 * the first line that it does not understand, and no section without keys.
 */
#include "helper/rules/grants_parts.h"

#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SENTENCE 600

/* A listener may have 128 sockets (SO_REUSEPORT), each of which asks once, in the same moment. */
static const uint32_t default_quotas[N_QUOTAS] = {
	[QUOTA_LISTENERS] = 256,
	[QUOTA_BINDINGS] = 4096,
	[QUOTA_REQUESTS] = 200,
	[QUOTA_CONNECTIONS] = 32,
};

static void read_listeners(struct reader *r, struct text value)
{
	read_quota(r, QUOTA_LISTENERS, value);
}

static void read_bindings(struct reader *r, struct text value)
{
	read_quota(r, QUOTA_BINDINGS, value);
}

static void read_requests(struct reader *r, struct text value)
{
	read_quota(r, QUOTA_REQUESTS, value);
}

static void read_connections(struct reader *r, struct text value)
{
	read_quota(r, QUOTA_CONNECTIONS, value);
}

/* Lists come first: such a key may be said again, they add up. Quotas come last, in the order of the enum. */
static const struct key {
	const char *name;
	read_value *read;
} keys[] = {
	{"users", read_users},
	{"groups", read_groups},
	{"protocols", read_protocols},
	{"ports", read_ports},
	{"cidrs", read_cidrs},
	{"routes", read_routes},
	{"takeover", read_takeover},
	{"listeners", read_listeners},
	{"bindings", read_bindings},
	{"requests-per-second", read_requests},
	{"connections", read_connections},
};

#define N_KEYS	(sizeof(keys) / sizeof(keys[0]))
#define N_LISTS 5 /* of the keys, the first ones */

const char *quota_name(enum quota q)
{
	return keys[N_KEYS - N_QUOTAS + (size_t)q].name;
}

void reader_mistake(struct reader *r, unsigned int line, const char *format, ...)
{
	char sentence[SENTENCE];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	r->mistakes++;
	r->told(r->context, line, true, sentence);
}

void reader_tell(struct reader *r, const char *format, ...)
{
	char sentence[SENTENCE];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	r->told(r->context, r->line, false, sentence);
}

struct grant *reader_grant(struct reader *r)
{
	return &r->policy->grants[r->policy->n_grants - 1];
}

bool reader_grow(struct reader *r, void **list, size_t n, size_t element)
{
	void *larger;

	if (n & (n - 1))
		return true;
	larger = reallocarray(*list, n ? n * 2 : 1, element);
	if (!larger) {
		r->no_memory = true;
		return false;
	}
	*list = larger;
	return true;
}

bool reader_said(const struct reader *r, const char *name)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].name, name) == 0)
			return r->said >> i & 1;
	}
	return false;
}

bool reader_said_no_list(const struct reader *r)
{
	return r->said >> N_LISTS != 0;
}

static bool is_printable(struct text line)
{
	for (size_t i = 0; i < line.length; i++) {
		unsigned char c = (unsigned char)line.at[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}
	return true;
}

static void end_line(struct reader *r)
{
	if (r->unexplained)
		reader_mistake(r, r->line,
			       "this is neither [NAME], nor KEY = VALUE, nor a comment, which begins with ;");
	r->unexplained = false;
}

/* Hands inih the next line, as fgets() would; without its indentation, so that nothing is a continuation. */
static char *next_line(char *out, int size, void *stream)
{
	struct reader *r = stream;
	struct text line;

	end_line(r);
	if (r->no_memory || !text_next(&r->rest, '\n', &line))
		return NULL;
	r->line++;
	if (r->line == 1 && line.length >= 3 && memcmp(line.at, "\xef\xbb\xbf", 3) == 0) {
		line.at += 3;
		line.length -= 3;
	}
	if (line.length && line.at[line.length - 1] == '\r')
		line.length--;
	while (line.length && (*line.at == ' ' || *line.at == '\t')) {
		line.at++;
		line.length--;
	}
	if (line.length && (*line.at == ';' || *line.at == '#')) {
		line.length = 0;
	} else if (line.length > (size_t)size - 3) {
		reader_mistake(r, r->line,
			       "the line is longer than %d characters: a key may be said again with more",
			       size - 3);
		line.length = 0;
	} else if (!is_printable(line)) {
		reader_mistake(r, r->line, "the line has a character that is no text");
		line.length = 0;
	} else if (line.length && *line.at == '[') {
		section_begin(r, line);
		line.length = 0;
	}
	r->unexplained = line.length > 0;
	memcpy(out, line.at, line.length);
	memcpy(out + line.length, "\n", 2);
	return out;
}

static void unknown_key(struct reader *r, const char *name)
{
	char known[200];
	size_t used = 0;

	for (size_t i = 0; i < N_KEYS; i++)
		used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s",
					 i == 0		  ? ""
					 : i + 1 < N_KEYS ? ", "
							  : " and ",
					 keys[i].name);
	reader_mistake(r, r->line, "\"%.60s\" is no key: there are %s", name, known);
}

static int on_key(void *context, const char *section, const char *name, const char *value)
{
	struct reader *r = context;
	size_t i = 0;

	if (!value || r->no_memory)
		return 1; /* next_line() tells it */
	r->unexplained = false;
	while (i < N_KEYS && strcmp(keys[i].name, name) != 0)
		i++;
	if (!r->in_section) {
		reader_mistake(r, r->line, "\"%.60s\" stands before the first section: begin one, as [web]",
			       name);
	} else if (i == N_KEYS) {
		unknown_key(r, name);
	} else if (r->in_default && i < N_KEYS - N_QUOTAS) {
		reader_mistake(r, r->line,
			       "%s in [default]: it may hold quotas only (listeners, bindings, "
			       "requests-per-second, connections); a grant is a section of another name",
			       name);
	} else if (i >= N_LISTS && r->said >> i & 1) {
		reader_mistake(r, r->line, "%s was said in this section before: remove one of the two", name);
	} else {
		r->said |= 1u << i;
		keys[i].read(r, (struct text){value, strlen(value)});
	}
	return 1;
}

struct policy *policy_default(void)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (p) {
		p->path = POLICY_PATH;
		memcpy(p->quotas, default_quotas, sizeof(p->quotas));
	}
	return p;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_grants; i++) {
		free(p->grants[i].users);
		free(p->grants[i].groups);
		free(p->grants[i].ports);
		free(p->grants[i].cidrs);
	}
	free(p->grants);
	free(p);
}

int grants_parse(const char *text, size_t length, const struct names *names, grants_told *told, void *context,
		 struct policy **out)
{
	struct reader r = {.rest = {text, length}, .names = names, .told = told, .context = context};

	*out = NULL;
	r.policy = policy_default();
	if (!r.policy)
		return -ENOMEM;
	ini_parse_stream(next_line, &r, on_key, &r);
	end_line(&r);
	if (!r.no_memory)
		section_end(&r);
	if (r.no_memory || r.mistakes) {
		policy_free(r.policy);
		return r.no_memory ? -ENOMEM : r.mistakes;
	}
	*out = r.policy;
	return 0;
}
