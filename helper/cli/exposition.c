// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/exposition.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "helper/cli/address.h"
#include "helper/cli/listing.h"
#include "helper/cli/text.h"

static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* Of a program's name: the three characters that the format gives a meaning. */
static void write_escaped(FILE *out, const char *text)
{
	char printable[32];

	snprintf(printable, sizeof(printable), "%s", text);
	text_make_printable(printable);
	for (const char *c = printable; *c; c++) {
		if (*c == '\\' || *c == '"')
			fputc('\\', out);
		fputc(*c, out);
	}
}

static const char *protocol_name(unsigned int protocol)
{
	return protocol == IPPROTO_TCP ? "tcp" : "udp";
}

/* What tells one listener from another; without the closing brace. */
static void listener_labels(FILE *out, const char *name, const struct skl_record_listener *l)
{
	fprintf(out, "%s{listener=\"%llu\",program=\"", name, (unsigned long long)l->id);
	write_escaped(out, l->program);
	fprintf(out, "\",protocol=\"%s\",port=\"%u\"", protocol_name(l->protocol), l->port);
}

static void write_info(FILE *out, const struct skl_record_listener *l)
{
	char address[INET6_ADDRSTRLEN] = "";
	const char *user = listing_user(l->uid);

	inet_ntop(l->family, l->address, address, sizeof(address));
	listener_labels(out, "skl_listener_info", l);
	fprintf(out, ",address=\"%s\",pid=\"%d\",uid=\"%u\",user=\"", address, l->pid, l->uid);
	write_escaped(out, user ? user : "");
	fprintf(out, "\",netns=\"%llu\"} 1\n", (unsigned long long)l->netns);
}

enum counter { LOOKUPS, MISSES, ERRORS, LEFT_OUT, N_COUNTERS };

static const struct {
	const char *name, *type, *help;
} counters[N_COUNTERS] = {
	{"skl_binding_lookups_total", "counter",
	 "Packets that opened something here and that this binding decided."},
	{"skl_binding_misses_total", "counter",
	 "Lookups that found the listener gone; the kernel's ordinary lookup went on."},
	{"skl_binding_errors_total", "counter", "Lookups for which the kernel refused the socket."},
	{"skl_binding_left_out_ports", "gauge", "Ports inside a range that others hold."},
};

static uint64_t value(const struct skl_record_binding *b, enum counter c)
{
	switch (c) {
	case LOOKUPS:
		return b->lookups;
	case MISSES:
		return b->misses;
	case ERRORS:
		return b->errors;
	default:
		return b->left_out;
	}
}

static void write_counter(FILE *out, const struct report_listener *l, enum counter c)
{
	for (size_t i = 0; i < l->n_bindings; i++) {
		const struct skl_record_binding *b = &l->bindings[i];
		char prefix[ADDRESS_TEXT], ports[LISTING_PORTS];

		address_format_prefix(b->family, b->address, b->prefixlen, false, prefix);
		listing_ports(b, ports);
		listener_labels(out, counters[c].name, &l->record);
		fprintf(out, ",binding=\"%llu\",prefix=\"%s\",ports=\"%s\"} %llu\n",
			(unsigned long long)b->id, prefix, ports, (unsigned long long)value(b, c));
	}
}

void exposition_write(FILE *out, const struct report *report)
{
	family(out, "skl_up", "gauge", "Whether a helper answers.");
	fprintf(out, "skl_up %d\n", report != NULL);
	if (!report)
		return;
	family(out, "skl_listener_info", "gauge", "A listener that covers something; its value is 1.");
	for (size_t i = 0; i < report->n_listeners; i++)
		write_info(out, &report->listeners[i].record);
	family(out, "skl_listener_sockets", "gauge",
	       "Living sockets of the listener; more than one with SO_REUSEPORT, none when it has just "
	       "gone.");
	for (size_t i = 0; i < report->n_listeners; i++) {
		listener_labels(out, "skl_listener_sockets", &report->listeners[i].record);
		fprintf(out, "} %u\n", report->listeners[i].record.members);
	}
	family(out, "skl_listener_age_seconds", "gauge", "Time since the listener's first claim.");
	for (size_t i = 0; i < report->n_listeners; i++) {
		unsigned long long ms = report->listeners[i].record.age_ms;

		listener_labels(out, "skl_listener_age_seconds", &report->listeners[i].record);
		fprintf(out, "} %llu.%03llu\n", ms / 1000, ms % 1000);
	}
	for (enum counter c = 0; c < N_COUNTERS; c++) {
		family(out, counters[c].name, counters[c].type, counters[c].help);
		for (size_t i = 0; i < report->n_listeners; i++)
			write_counter(out, &report->listeners[i], c);
	}
}
