// SPDX-License-Identifier: BSD-2-Clause
/*
 * The table of shares: a line for each, and one more for each further socket.
 *
 *   SHARE  USER  HOLD  LISTENS ON        PROCESSES
 *   web    root  30 s  tcp 0.0.0.0:80    4711 nginx, 4712 nginx
 *                      tcp 0.0.0.0:443
 *   api    alice    -  tcp 0.0.0.0:8080  none: open for another 4 s
 */
#include "helper/cli/listing.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "helper/cli/address.h"
#include "helper/cli/text.h"

#define CELL 128
#define LINE 1024

enum column { SHARE, USER, HOLD, LISTENS, PROCESSES, N_COLUMNS };

static const char *const titles[N_COLUMNS] = {"SHARE", "USER", "HOLD", "LISTENS ON", "PROCESSES"};

static void format_time(uint64_t ms, char text[CELL])
{
	if (ms == 0)
		snprintf(text, CELL, "-");
	else if (ms < 1000)
		snprintf(text, CELL, "%llu ms", (unsigned long long)ms);
	else
		snprintf(text, CELL, "%llu s", (unsigned long long)(ms + 500) / 1000);
}

static void format_socket(const struct skl_record_share_socket *r, char text[CELL])
{
	struct address a = {.family = r->family, .port = r->port, .v6only = r->v6only};
	char where[ADDRESS_TEXT], device[32] = "";

	memcpy(a.bytes, r->address, sizeof(a.bytes));
	address_format(&a, where);
	if (r->ifindex)
		snprintf(device, sizeof(device), ", on device %u", r->ifindex);
	snprintf(text, CELL, "%s %s%s", r->protocol == IPPROTO_TCP ? "tcp" : "udp", where, device);
}

/* "4711 nginx, 4712 nginx, and 6 more" */
static void format_processes(const struct report_share *s, char *text, size_t size)
{
	size_t n = 0, shown = 0, all = 0;

	for (size_t i = 0; i < s->n_members; i++)
		all += s->members[i].holds != 0;
	for (size_t i = 0; i < s->n_members && shown < 4; i++) {
		const struct skl_record_share_member *m = &s->members[i];

		if (!m->holds)
			continue;
		n += (size_t)snprintf(text + n, size - n, "%s%d %s", shown++ ? ", " : "", m->pid, m->program);
	}
	if (all == 0) /* the last one has just gone */
		snprintf(text, size, "none");
	if (all > shown)
		snprintf(text + n, size - n, ", and %zu more", all - shown);
}

static void share_cells(const struct report_share *s, char cells[N_COLUMNS][CELL], char processes[LINE])
{
	const char *user = listing_user(s->record.uid);
	char left[CELL];

	snprintf(cells[SHARE], CELL, "%s", s->record.name);
	if (user)
		snprintf(cells[USER], CELL, "%s", user);
	else
		snprintf(cells[USER], CELL, "%u", s->record.uid);
	format_time(s->record.hold_ms, cells[HOLD]);
	cells[LISTENS][0] = '\0';
	processes[0] = '\0';
	if (s->record.waiting) {
		format_time(s->record.left_ms, left);
		snprintf(processes, LINE, "none: open for another %s", left);
	} else {
		format_processes(s, processes, LINE);
	}
	for (int c = 0; c < PROCESSES; c++)
		text_make_printable(cells[c]);
	text_make_printable(processes);
}

static void widen(size_t *width, const char *cell)
{
	size_t n = text_width(cell);

	if (n > *width)
		*width = n;
}

static void measure(const struct report *report, size_t widths[N_COLUMNS])
{
	char cells[N_COLUMNS][CELL], processes[LINE];

	for (int c = 0; c < N_COLUMNS; c++)
		widths[c] = strlen(titles[c]);
	for (size_t i = 0; i < report->n_shares; i++) {
		const struct report_share *s = &report->shares[i];

		share_cells(s, cells, processes);
		for (int c = 0; c < PROCESSES; c++)
			widen(&widths[c], cells[c]);
		for (size_t j = 0; j < s->n_sockets; j++) {
			format_socket(&s->sockets[j], cells[LISTENS]);
			widen(&widths[LISTENS], cells[LISTENS]);
		}
	}
}

static void print(const size_t widths[N_COLUMNS], const char *const cells[PROCESSES], const char *processes,
		  size_t width)
{
	char line[2 * LINE];
	size_t n = 0;

	for (int c = 0; c < PROCESSES; c++) {
		int space = (int)(widths[c] - text_width(cells[c]));

		n += (size_t)snprintf(line + n, sizeof(line) - n, "%*s%s%*s", c == HOLD ? space : 0, "",
				      cells[c], (c == HOLD ? 0 : space) + 2, "");
	}
	snprintf(line + n, sizeof(line) - n, "%s", processes);
	for (n = strlen(line); n && line[n - 1] == ' '; n--)
		line[n - 1] = '\0';
	text_cut(line, width);
	puts(line);
}

static void list_shares(const struct report *report, size_t width)
{
	char cells[N_COLUMNS][CELL], processes[LINE];
	size_t widths[N_COLUMNS];

	measure(report, widths);
	print(widths, titles, titles[PROCESSES], width);
	for (size_t i = 0; i < report->n_shares; i++) {
		const struct report_share *s = &report->shares[i];
		const char *const pointers[PROCESSES] = {cells[0], cells[1], cells[2], cells[3]};

		share_cells(s, cells, processes);
		for (size_t j = 0; j < s->n_sockets; j++) {
			format_socket(&s->sockets[j], cells[LISTENS]);
			print(widths, pointers, processes, width);
			cells[SHARE][0] = cells[USER][0] = cells[HOLD][0] = processes[0] = '\0';
		}
	}
}

/* The title, the sockets, and the line between the tables. */
static size_t lines_of_shares(const struct report *report)
{
	size_t n = 2;

	for (size_t i = 0; i < report->n_shares; i++)
		n += report->shares[i].n_sockets;
	return report->n_shares ? n : 0;
}

void listing_all(const struct report *report, const struct report *before, size_t width, size_t height)
{
	size_t shares = lines_of_shares(report);
	size_t left = height == 0 ? 0 : height > shares + 1 ? height - shares : 1;

	if (report->n_listeners)
		listing_table(report, before, width, left);
	else if (!report->n_shares)
		puts("Nothing is covered.");
	if (report->n_listeners && report->n_shares)
		putchar('\n');
	if (report->n_shares)
		list_shares(report, width);
}
