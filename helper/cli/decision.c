// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/decision.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "helper/cli/address.h"
#include "helper/cli/listing.h"
#include "helper/cli/text.h"
#include "helper/rules/table.h"

#define IPV4_WIDEST  (sizeof("255.255.255.255:65535") - 1)
#define IPV4_USUAL   (sizeof("127.0.0.1:65535") - 1)
#define TARGET_USUAL 12
#define ROOMY	     110 /* a terminal where columns need not start narrow */
#define LEAST_LAST   8	 /* of the last column stays so much */

void decision_columns(struct decision_columns *c, size_t terminal)
{
	bool narrow = terminal && terminal < ROOMY;
	size_t address = narrow ? IPV4_USUAL : IPV4_WIDEST;

	*c = (struct decision_columns){.client = address,
				       .local = address,
				       .target = narrow ? 0 : TARGET_USUAL,
				       .terminal = terminal};
}

bool decision_is_valid(const struct skl_record_decision *d)
{
	return (d->family == AF_INET || d->family == AF_INET6) &&
	       memchr(d->program, '\0', sizeof(d->program)) &&
	       d->prefixlen <= (d->family == AF_INET ? 32 : 128);
}

static void format_time(uint64_t ns, char out[16])
{
	time_t seconds = (time_t)(ns / 1000000000u);
	struct tm local;
	char clock[9];

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&seconds, &local));
	snprintf(out, 16, "%s.%03u", clock, (unsigned int)(ns / 1000000 % 1000));
}

static void format_address(const struct skl_record_decision *d, const uint8_t bytes[16], uint16_t port,
			   char out[ADDRESS_TEXT])
{
	struct address a = {.family = d->family, .port = port, .v6only = true};

	memcpy(a.bytes, bytes, sizeof(a.bytes));
	address_format(&a, out);
}

#define WHO_TEXT 32
static void format_who(const struct skl_record_decision *d, char out[WHO_TEXT])
{
	char program[sizeof(d->program)];

	memcpy(program, d->program, sizeof(program));
	text_make_printable(program);
	if (d->listener)
		snprintf(out, WHO_TEXT, "%s/%d", *program ? program : "?", d->pid);
	else
		snprintf(out, WHO_TEXT, "a program that has gone");
}

#define WHY_TEXT 128
static void format_binding(const struct skl_record_decision *d, char out[WHY_TEXT])
{
	char prefix[ADDRESS_TEXT], ports[PORTS_TEXT];

	if (!d->binding) {
		snprintf(out, WHY_TEXT, "a binding that has gone");
		return;
	}
	ports_format(d->binding_first, d->binding_last, ports);
	address_format_prefix(d->family, d->prefix, d->prefixlen, false, prefix);
	snprintf(out, WHY_TEXT, "%s on %s", ports, prefix);
}

static void format_why(const struct skl_record_decision *d, char out[WHY_TEXT])
{
	char binding[WHY_TEXT], who[WHO_TEXT], error[LISTING_ERROR];

	format_binding(d, binding);
	format_who(d, who);
	switch (d->kind) {
	case SKL_DECISION_GIVEN:
		memcpy(out, binding, WHY_TEXT);
		break;
	case SKL_DECISION_GONE:
		snprintf(out, WHY_TEXT, "listener gone: %s, %.60s", who, binding);
		break;
	case SKL_DECISION_REFUSED:
		listing_error(d->error, error);
		snprintf(out, WHY_TEXT, "%s: %s, %.60s", error, who, binding);
		break;
	case SKL_DECISION_ELSEWHERE:
		snprintf(out, WHY_TEXT, "other device: %s, %.60s", who, binding);
		break;
	case SKL_DECISION_OWN_PORT:
		snprintf(out, WHY_TEXT, "bound there: %s", who);
		break;
	case SKL_DECISION_NO_PREFIX:
		snprintf(out, WHY_TEXT, "not this address");
		break;
	case SKL_DECISION_UNCOVERED:
		snprintf(out, WHY_TEXT, "not covered");
		break;
	default:
		snprintf(out, WHY_TEXT, "decision %u", d->kind);
	}
}

static bool grow(size_t *width, const char *text)
{
	size_t needed = text_width(text);

	if (needed <= *width)
		return false;
	*width = needed;
	return true;
}

static void print_row(const struct decision_columns *c, const char *time, const char *protocol,
		      const char *client, const char *local, const char *target, const char *why)
{
	size_t wide = text_width(target) > c->target ? text_width(target) : c->target;
	size_t before = sizeof("00:00:00.000 udp") + c->client + 1 + c->local + 1 + wide + 1;
	char last[WHY_TEXT];

	snprintf(last, sizeof(last), "%s", why);
	if (c->terminal)
		text_cut(last, c->terminal > before + LEAST_LAST ? c->terminal - before : LEAST_LAST);
	printf("%-12s %-3s %-*s %-*s %-*s %s\n", time, protocol, (int)c->client, client, (int)c->local, local,
	       (int)c->target, target, last);
}

static const char *protocol_name(const struct skl_record_decision *d)
{
	return d->protocol == IPPROTO_UDP ? "udp" : "tcp";
}

void decision_print(struct decision_columns *c, const struct skl_record_decision *d)
{
	char time[16], client[ADDRESS_TEXT], local[ADDRESS_TEXT], target[WHO_TEXT] = "-", why[WHY_TEXT];
	bool grown;

	format_time(d->time_ns, time);
	format_address(d, d->client, d->client_port, client);
	format_address(d, d->address, d->port, local);
	if (d->kind == SKL_DECISION_GIVEN)
		format_who(d, target);
	format_why(d, why);
	grown = grow(&c->client, client);
	grown |= grow(&c->local, local);
	if (c->target)
		grown |= grow(&c->target, target);
	if (!c->headed || (grown && c->terminal))
		print_row(c, "TIME", "", "CLIENT", "LOCAL", "GOES TO", "WHY");
	c->headed = true;
	print_row(c, time, protocol_name(d), client, local, target, why);
}
