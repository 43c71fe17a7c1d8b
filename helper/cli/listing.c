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

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "helper/cli/listing_cells.h"
#include "helper/cli/text.h"

#define LINE   512
#define GAP    2
#define INDENT 6

static const char *const titles[N_COLUMNS] = {"ID", "PROGRAM", "PID", "USER", "LISTENS ON"};

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

		listing_listener(&report->listeners[i].record, cells);
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

		listing_binding(&l->bindings[i], style, cells);
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

		listing_binding(&l->bindings[i], &style, parts);
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

		listing_listener(&report->listeners[i].record, cells);
		for (int c = 0; c < N_COLUMNS; c++)
			pointers[c] = cells[c];
		print_columns(widths, pointers, width);
		left--;
		print_bindings(&report->listeners[i], style, width, &left);
	}
	if (cut)
		printf("%zu more lines: --pid, --port, --user, --netns show less\n", lines - shown);
}
