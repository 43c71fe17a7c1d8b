// SPDX-License-Identifier: BSD-2-Clause
/* The sections of a policy file: how one begins, and what it lacks when it ends. */
#include "helper/rules/grants_parts.h"

#include <string.h>

static void lacks(struct reader *r, const char *what, const char *line)
{
	const struct grant *g = reader_grant(r);

	reader_mistake(r, g->line, "[%s] %s: it needs a line %s", g->name, what, line);
}

/* What is missing can be known when nothing more comes; by what was said, be it right or wrong. */
void section_end(struct reader *r)
{
	struct grant *g;
	bool ports;

	if (!r->in_section || r->in_default)
		return;
	g = reader_grant(r);
	ports = reader_said(r, "ports");
	if (!reader_said(r, "users") && !reader_said(r, "groups"))
		lacks(r, "names nobody", "users = NAME or groups = NAME");
	if (!ports && reader_said(r, "protocols"))
		lacks(r, "has protocols, but no ports that are theirs", "ports = 80");
	if (!ports && reader_said(r, "takeover"))
		lacks(r, "has takeover, but no ports that may be taken over", "ports = 80");
	if (!ports && reader_said(r, "cidrs") && !g->routes)
		lacks(r, "has cidrs, but nothing that is for them", "ports = 80 or routes = yes");
	if (g->routes && !reader_said(r, "cidrs"))
		lacks(r, "has routes, but no addresses that they may be for", "cidrs = 192.0.2.0/24");
	if (!reader_said_no_list(r) && !ports && !reader_said(r, "protocols") && !reader_said(r, "cidrs"))
		lacks(r, "grants nothing", "ports = 80, or one with a quota");
	if (!reader_said(r, "protocols"))
		g->tcp = g->udp = true;
}

static bool is_name(struct text t)
{
	for (size_t i = 0; i < t.length; i++) {
		char c = t.at[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
		      (c && strchr("-_.", c))))
			return false;
	}
	return t.length > 0 && t.length < GRANT_NAME;
}

static void begin_default(struct reader *r)
{
	r->in_default = true;
	if (r->default_line)
		reader_mistake(r, r->line, "[default] stands in line %u already: write its quotas there",
			       r->default_line);
	else
		r->default_line = r->line;
	reader_tell(r, "[default]: quotas of every user for whom no grant says them");
}

static void begin_grant(struct reader *r, struct text name)
{
	struct policy *p = r->policy;
	struct grant g = {.line = r->line,
			  .quotas = {QUOTA_UNSAID, QUOTA_UNSAID, QUOTA_UNSAID, QUOTA_UNSAID}};

	if (!is_name(name)) {
		reader_mistake(
			r, r->line,
			"[%.*s]: a section's name has 1 to %d letters, digits and the characters - _ .",
			SHOWN(name), GRANT_NAME - 1);
		name = (struct text){"?", 1};
	}
	memcpy(g.name, name.at, name.length);
	for (size_t i = 0; i < p->n_grants; i++) {
		if (strcmp(p->grants[i].name, g.name) == 0 && g.name[0] != '?')
			reader_mistake(r, r->line,
				       "[%s] stands in line %u already: give this one another name", g.name,
				       p->grants[i].line);
	}
	if (!reader_grow(r, (void **)&p->grants, p->n_grants, sizeof(g)))
		return;
	p->grants[p->n_grants++] = g;
	reader_tell(r, "[%s]: a grant", g.name);
}

void section_begin(struct reader *r, struct text line)
{
	const char *close = memchr(line.at, ']', line.length);
	struct text name = {line.at + 1, close ? (size_t)(close - line.at) - 1 : line.length - 1};
	struct text after = {NULL, 0};

	section_end(r);
	r->in_section = true;
	r->in_default = false;
	r->said = 0;
	if (close)
		after = (struct text){close + 1, line.length - name.length - 2};
	else
		reader_mistake(r, r->line, "\"%.*s\" begins a section: it must end with ]", SHOWN(line));
	while (after.length && strchr(" \t", *after.at)) {
		after.at++;
		after.length--;
	}
	if (after.length && *after.at != ';')
		reader_mistake(r, r->line, "after ] the line ends: \"%.*s\" belongs on the next one",
			       SHOWN(after));
	if (text_is(name, "default"))
		begin_default(r);
	else
		begin_grant(r, name);
}
