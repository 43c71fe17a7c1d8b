// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/listing_cells.h"

#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "helper/cli/address.h"
#include "helper/cli/listing.h"
#include "helper/cli/text.h"

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

void listing_listener(const struct skl_record_listener *l, char cells[N_COLUMNS][CELL])
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

void listing_binding(const struct skl_record_binding *b, const struct style *style, char cells[N_PARTS][CELL])
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
