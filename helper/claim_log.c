// SPDX-License-Identifier: BSD-2-Clause
/* What the log says of a claim. */
#include "helper/claim_parts.h"

#include <stdio.h>

#include "helper/log.h"

#define LOGGED_MAX 16 /* bindings of one request that have a line of the log each */

static void log_binding(const struct claim *c, const struct binding *b)
{
	char what[RULE_TEXT], prefix[PREFIX_TEXT], by[128];

	rule_format(&b->rule, what);
	prefix_format(&b->rule.prefix, prefix);
	policy_granted_by(&c->who, &b->rule, by, sizeof(by));
	log_info("listener %llu: covers %s on %s%s%s", (unsigned long long)b->listener->id, what, prefix,
		 *by ? ", by " : "", by);
}

#define WHO_TEXT 128

static void format_who(struct claim *c, char out[WHO_TEXT])
{
	const struct claim_program *program = claim_program(c);
	const struct peer *p = c->peer;

	if (program->pid != p->pid)
		snprintf(out, WHO_TEXT, "uid %u pid %d (%s), asked by pid %d (%s)", p->uid, program->pid,
			 program->name, p->pid, p->program);
	else
		snprintf(out, WHO_TEXT, "uid %u pid %d (%s)", p->uid, p->pid, p->program);
}

void claim_log(struct claim *c, int err)
{
	const struct listener *l = &c->received->listener;
	const struct table *t = &c->space->table;
	char where[LISTENER_TEXT], who[WHO_TEXT];
	size_t n = 0;

	listener_format(l, where);
	if (err || c->check || c->new_listener || c->new_member)
		format_who(c, who);
	if (c->check) {
		log_info("%s %s: asks whether: %s", who, where, err ? c->s->text : "it would be granted");
		return;
	}
	if (err) {
		log_notice("%s %s: refused: %s", who, where, c->s->text);
		return;
	}
	if (c->new_listener || c->new_member)
		log_info("%s %s: %s listener %llu", who, where, c->new_listener ? "new" : "joins",
			 c->listener ? (unsigned long long)c->listener->id : 0);
	for (size_t i = 0; i < t->n_bindings; i++) {
		if (!claim_is_ours(c, t->bindings[i]) || t->bindings[i]->own)
			continue;
		if (n++ < LOGGED_MAX)
			log_binding(c, t->bindings[i]);
	}
	if (n > LOGGED_MAX)
		log_info("listener %llu: covers %zu more", (unsigned long long)c->listener->id,
			 n - LOGGED_MAX);
}

void claim_log_refused(struct claim *c)
{
	char who[WHO_TEXT];

	format_who(c, who);
	log_notice("%s: refused: %s", who, c->s->text);
}
