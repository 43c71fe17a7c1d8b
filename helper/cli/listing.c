// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table: a line for each listener, and under it one for each binding.
 *
 *   ID  PROGRAM         PID  USER  LISTENS ON
 *    1  legacy-server  4711  root  tcp 127.0.0.1:8080
 *         127.0.0.1     port 7            3 lookups
 *         127.0.0.0/24  ports * less 22  12 lookups, 2 misses
 */
#include "helper/cli/listing.h"

#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "helper/cli/address.h"
#include "helper/cli/text.h"

#define LINE   512
#define CELL   128
#define GAP    2
#define INDENT 6

const char *listing_user(uint32_t uid)
{
	const struct passwd *user = getpwuid(uid);

	return user ? user->pw_name : NULL;
}

void listing_ports(const struct skl_record_binding *b, char text[LISTING_PORTS])
{
	if (b->port_first <= 1 && b->port_last == 65535)
		snprintf(text, LISTING_PORTS, "*");
	else if (b->port_first == b->port_last)
		snprintf(text, LISTING_PORTS, "%u", b->port_first);
	else
		snprintf(text, LISTING_PORTS, "%u-%u", b->port_first, b->port_last);
}

void listing_error(uint32_t error, char name[LISTING_ERROR])
{
	const char *known = strerrorname_np((int)error);

	if (known)
		snprintf(name, LISTING_ERROR, "%s", known);
	else
		snprintf(name, LISTING_ERROR, "%u", error);
}

enum column { ID, PROGRAM, PID, USER, LISTENS, N_COLUMNS };

static const char *const titles[N_COLUMNS] = {"ID", "PROGRAM", "PID", "USER", "LISTENS ON"};

/* Of a binding's line. */
enum part { PREFIX, PORTS, LOOKUPS, REST, N_PARTS };

/* What is not so for every listener, "" where there is nothing to say. */
static void remarks(const struct skl_record_listener *l, char text[CELL])
{
	char device[IF_NAMESIZE];
	bool here = false;
	struct stat own;
	size_t n = 0;

	if (stat("/proc/self/ns/net", &own) == 0)
		here = own.st_ino == l->netns;
	text[0] = '\0';
	if (l->members > 1)
		n += (size_t)snprintf(text + n, CELL - n, ", %u sockets", l->members);
	if (l->ifindex && here && if_indextoname(l->ifindex, device))
		n += (size_t)snprintf(text + n, CELL - n, ", on %s", device);
	else if (l->ifindex)
		n += (size_t)snprintf(text + n, CELL - n, ", on device %u", l->ifindex);
	if (!here)
		n += (size_t)snprintf(text + n, CELL - n, ", in netns %llu", (unsigned long long)l->netns);
	if (l->state == SKL_LISTENER_STALE)
		snprintf(text + n, CELL - n, ", closed");
}

static void listener_cells(const struct skl_record_listener *l, char cells[N_COLUMNS][CELL])
{
	struct address a = {.family = l->family, .port = l->port, .v6only = l->v6only};
	const char *user = listing_user(l->uid);
	char where[ADDRESS_TEXT], more[CELL];

	snprintf(cells[ID], CELL, "%llu", (unsigned long long)l->id);
	snprintf(cells[PROGRAM], CELL, "%s", *l->program ? l->program : "?");
	snprintf(cells[PID], CELL, "%d", l->pid);
	if (user)
		snprintf(cells[USER], CELL, "%s", user);
	else
		snprintf(cells[USER], CELL, "%u", l->uid);
	memcpy(a.bytes, l->address, sizeof(a.bytes));
	address_format(&a, where);
	remarks(l, more);
	snprintf(cells[LISTENS], CELL, "%s %s%.*s", l->protocol == IPPROTO_TCP ? "tcp" : "udp", where,
		 CELL - ADDRESS_TEXT - 8, more);
	for (int c = 0; c < N_COLUMNS; c++)
		text_make_printable(cells[c]);
}

static size_t count(char *text, size_t size, unsigned long long n, const char *one, const char *many)
{
	return n ? (size_t)snprintf(text, size, ", %llu %s", n, n == 1 ? one : many) : 0;
}

static void shadow(char *text, size_t size, const struct skl_record_binding *b)
{
	const char *user = listing_user(b->shadowed_uid);

	if (b->state != SKL_BINDING_SHADOWED)
		return;
	if (user)
		snprintf(text, size, ", a program of %s is shadowed", user);
	else
		snprintf(text, size, ", a program of uid %u is shadowed", b->shadowed_uid);
}

/* How a binding is shown. */
struct style {
	bool brief;		     /* tells how many ports are left out instead of which */
	const struct report *report; /* that it is part of */
	const struct report *before; /* of a second ago, or NULL */
};

/* ", 3 errors (EEXIST 2, EAFNOSUPPORT)" */
static size_t count_errors(char *text, size_t size, const struct report *report,
			   const struct skl_record_binding *b)
{
	size_t used = count(text, size, b->errors, "error", "errors"), n;
	const struct skl_record_error *e = report_errors(report, b, &n);

	for (size_t i = 0; i < n && used < size; i++) {
		char name[LISTING_ERROR];

		listing_error(e[i].error, name);
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : " (", name);
		if (n > 1 && used < size)
			used += (size_t)snprintf(text + used, size - used, " %llu",
						 (unsigned long long)e[i].count);
	}
	if (n && used < size)
		used += (size_t)snprintf(text + used, size - used, ")");
	return used < size ? used : size - 1;
}

/* How often it was used within the last second; 0 where it was not there yet. */
static unsigned long long rate(const struct skl_record_binding *b, const struct report *before)
{
	for (size_t i = 0; i < before->n_bindings; i++) {
		if (before->bindings[i].id == b->id)
			return b->lookups - before->bindings[i].lookups;
	}
	return 0;
}

static void binding_cells(const struct skl_record_binding *b, const struct style *style,
			  char cells[N_PARTS][CELL])
{
	char prefix[ADDRESS_TEXT], ports[LISTING_PORTS];
	size_t n;

	address_format_prefix(b->family, b->address, b->prefixlen, true, prefix);
	snprintf(cells[PREFIX], CELL, "%s", prefix);
	listing_ports(b, ports);
	n = (size_t)snprintf(cells[PORTS], CELL, "port%s %s", b->port_first == b->port_last ? "" : "s",
			     ports);
	if (b->left_out && (style->brief || !*b->less))
		snprintf(cells[PORTS] + n, CELL - n, " less %u of them", b->left_out);
	else if (b->left_out)
		snprintf(cells[PORTS] + n, CELL - n, " less %s", b->less);
	snprintf(cells[LOOKUPS], CELL, "%llu", (unsigned long long)b->lookups);
	n = (size_t)snprintf(cells[REST], CELL, " lookup%s", b->lookups == 1 ? "" : "s");
	n += count(cells[REST] + n, CELL - n, b->misses, "miss", "misses");
	n += count_errors(cells[REST] + n, CELL - n, style->report, b);
	if (style->before)
		n += (size_t)snprintf(cells[REST] + n, CELL - n, ", %llu/s", rate(b, style->before));
	shadow(cells[REST] + n, CELL - n, b);
	for (int p = 0; p < N_PARTS; p++)
		text_make_printable(cells[p]);
}

static void widen(size_t *width, const char *cell)
{
	size_t n = text_width(cell);

	if (n > *width)
		*width = n;
}

static void measure_columns(const struct report *report, size_t widths[N_COLUMNS])
{
	for (int c = 0; c < N_COLUMNS; c++)
		widths[c] = strlen(titles[c]);
	for (size_t i = 0; i < report->n_listeners; i++) {
		char cells[N_COLUMNS][CELL];

		listener_cells(&report->listeners[i].record, cells);
		for (int c = 0; c < N_COLUMNS; c++)
			widen(&widths[c], cells[c]);
	}
}

/* Returns how wide the lines of its bindings are in all. */
static size_t measure_parts(const struct report_listener *l, const struct style *style,
			    size_t widths[N_PARTS])
{
	size_t sum = INDENT + GAP + GAP;

	memset(widths, 0, N_PARTS * sizeof(*widths));
	for (size_t i = 0; i < l->n_bindings; i++) {
		char cells[N_PARTS][CELL];

		binding_cells(&l->bindings[i], style, cells);
		for (int p = 0; p < N_PARTS; p++)
			widen(&widths[p], cells[p]);
	}
	for (int p = 0; p < N_PARTS; p++)
		sum += widths[p];
	return sum;
}

/* A line grows by cells, each with its gap; the last one is not padded. */
struct line {
	size_t used;
	char text[LINE];
};

static void add(struct line *line, const char *cell, size_t width, bool to_the_right, size_t gap)
{
	size_t n = text_width(cell), space = n < width ? width - n : 0;
	size_t before = to_the_right ? space : 0;

	line->used += (size_t)snprintf(line->text + line->used, LINE - line->used, "%*s%s%*s", (int)before,
				       "", cell, (int)(space - before + gap), "");
	if (line->used >= LINE)
		line->used = LINE - 1;
}

static void print(struct line *line, size_t width)
{
	text_make_printable(line->text); /* where the end of the buffer has cut a character */
	text_cut(line->text, width);
	puts(line->text);
}

static void print_columns(const size_t widths[N_COLUMNS], const char *const cells[N_COLUMNS], size_t width)
{
	struct line line = {0};

	for (int c = 0; c < LISTENS; c++)
		add(&line, cells[c], widths[c], c == ID || c == PID, GAP);
	add(&line, cells[LISTENS], 0, false, 0);
	print(&line, width);
}

static void print_bindings(const struct report_listener *l, struct style style, size_t width, size_t *height)
{
	size_t widths[N_PARTS];

	style.brief = false;
	if (width && measure_parts(l, &style, widths) > width)
		style.brief = true;
	/* what still has no room is better uneven than cut */
	if (measure_parts(l, &style, widths) > width && width)
		memset(widths, 0, sizeof(widths));
	for (size_t i = 0; i < l->n_bindings && *height; i++, --*height) {
		char parts[N_PARTS][CELL];
		struct line line = {0};

		binding_cells(&l->bindings[i], &style, parts);
		add(&line, "", INDENT, false, 0);
		add(&line, parts[PREFIX], widths[PREFIX], false, GAP);
		add(&line, parts[PORTS], widths[PORTS], false, GAP);
		add(&line, parts[LOOKUPS], widths[LOOKUPS], true, 0);
		add(&line, parts[REST], 0, false, 0);
		print(&line, width);
	}
}

static size_t count_lines(const struct report *report)
{
	size_t n = report->n_listeners;

	for (size_t i = 0; i < report->n_listeners; i++)
		n += report->listeners[i].n_bindings;
	return n;
}

#define ROOM_TO_SAY 5 /* with so many lines there is one for how many are missing */

void listing_table(const struct report *report, const struct report *before, size_t width, size_t height)
{
	const struct style style = {.report = report, .before = before};
	size_t widths[N_COLUMNS], left = height ? height - 1 : SIZE_MAX;
	size_t lines = count_lines(report), shown = left;
	bool cut = lines > left && left >= ROOM_TO_SAY;

	if (cut)
		shown = --left;
	measure_columns(report, widths);
	print_columns(widths, titles, width);
	for (size_t i = 0; i < report->n_listeners && left; i++) {
		char cells[N_COLUMNS][CELL];
		const char *pointers[N_COLUMNS];

		listener_cells(&report->listeners[i].record, cells);
		for (int c = 0; c < N_COLUMNS; c++)
			pointers[c] = cells[c];
		print_columns(widths, pointers, width);
		left--;
		print_bindings(&report->listeners[i], style, width, &left);
	}
	if (cut)
		printf("%zu more lines: --pid, --port, --user, --netns show less\n", lines - shown);
}
