/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the reader of policy files, for each other: grants.c has the lines, grants_sections.c
 * the sections, grants_values.c the values. */
#ifndef SKL_GRANTS_PARTS_H
#define SKL_GRANTS_PARTS_H

#include "helper/rules/grants.h"
#include "helper/rules/items.h"

struct reader {
	struct text rest;  /* of the file */
	unsigned int line; /* the one that is read */
	bool unexplained;  /* it is neither a section's head nor a key with a value, so far */
	bool in_section, in_default;
	unsigned int default_line; /* where [default] stands; 0: nowhere yet */
	uint32_t said;		   /* keys of this section, by their place in the table */
	struct policy *policy;
	const struct names *names;
	grants_told *told;
	void *context;
	int mistakes;
	bool no_memory;
};

void reader_mistake(struct reader *r, unsigned int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void reader_tell(struct reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The section that is read; not while in_default. */
struct grant *reader_grant(struct reader *r);

/* Makes room for one more element of a list. False when there is no memory; the reader knows it then. */
bool reader_grow(struct reader *r, void **list, size_t n, size_t element);

/* Was this key said in the section, be it right or wrong? And any that is no list? */
bool reader_said(const struct reader *r, const char *name);
bool reader_said_no_list(const struct reader *r);

/* ---- grants_sections.c: a line with a section's head, and where the section ends ---- */
void section_begin(struct reader *r, struct text line);
void section_end(struct reader *r);

/* ---- grants_values.c ---- */

/* Each reads the value of a key and tells what it grants, or its mistakes. */
typedef void read_value(struct reader *r, struct text value);
read_value read_users, read_groups, read_protocols, read_ports, read_cidrs, read_routes, read_takeover;
void read_quota(struct reader *r, enum quota q, struct text value);

#endif
