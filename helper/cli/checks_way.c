// SPDX-License-Identifier: BSD-2-Clause
/* Of skl doctor: what stands between a packet and the socket? */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "helper/cli/address.h"
#include "helper/cli/checks.h"
#include "helper/datapath/routes.h"

static bool is_local(const struct skl_record_binding *b)
{
	struct prefix prefix = {.family = b->family, .length = b->prefixlen};
	struct routes_view view;

	memcpy(prefix.address, b->address, sizeof(prefix.address));
	return routes_look(&prefix, &view) < 0 || view.state >= ROUTES_LOCAL;
}

void check_local(struct checks *c)
{
	struct stat own;
	size_t away = 0;

	if (stat("/proc/self/ns/net", &own) < 0)
		return;
	for (size_t i = 0; i < c->report.n_listeners; i++) {
		const struct report_listener *l = &c->report.listeners[i];

		for (size_t k = 0; l->record.netns == own.st_ino && k < l->n_bindings; k++) {
			const struct skl_record_binding *b = &l->bindings[k];
			char prefix[ADDRESS_TEXT], mend[ADDRESS_TEXT + 64];

			if (b->prefixlen == 0 || is_local(b))
				continue;
			address_format_prefix(b->family, b->address, b->prefixlen, false, prefix);
			snprintf(mend, sizeof(mend), "ip %sroute add local %s dev lo",
				 b->family == AF_INET6 ? "-6 " : "", prefix);
			check_found(c, "addresses", CHECK_PROBLEM, mend,
				    "%s of listener %llu is not local here, so no packet arrives", prefix,
				    (unsigned long long)l->record.id);
			away++;
		}
	}
	if (!away)
		check_found(c, "addresses", CHECK_OK, NULL,
			    "all covered addresses of this network namespace are local");
}
