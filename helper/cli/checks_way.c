// SPDX-License-Identifier: BSD-2-Clause
/* Of skl doctor: what stands between a packet and the socket, and between the shim and the program. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/cli/address.h"
#include "helper/cli/checks.h"
#include "helper/cli/place.h"
#include "helper/cli/reach.h"
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

static bool starts_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* By the dynamic loader itself, which lists what it would load and runs nothing of the program. */
static void try_to_load(struct checks *c, const char *interpreter, const char *path, const char *shim)
{
	char out[16384], variable[PATH_MAX + 16], *warning;
	int status;

	snprintf(variable, sizeof(variable), "LD_PRELOAD=%s", shim);
	status = check_command((char *[]){(char *)interpreter, "--list", (char *)path, NULL},
			       (char *[]){variable, "LC_ALL=C", NULL}, out, sizeof(out));
	warning = strstr(out, "ERROR: ld.so:");
	if (warning)
		warning[strcspn(warning, "\n")] = '\0';
	if (status != 0 || !strstr(out, "libsklshim.so") || warning)
		check_found(c, "program", CHECK_PROBLEM, "skl run --supervise does without the shim",
			    "%s: its loader %s does not take the shim: %s", path, interpreter,
			    warning ? warning : "it is not in what it would load");
	else
		check_found(c, "program", CHECK_OK, NULL, "%s: its loader %s takes the shim", path,
			    interpreter);
}

void check_program(struct checks *c)
{
	char path[PATH_MAX], shim[PATH_MAX], preload[PATH_MAX], why[PATH_MAX + 100], interpreter[PATH_MAX];
	int err;

	if (!c->program)
		return;
	err = reach_find(c->program, path);
	if (err) {
		check_found(c, "program", CHECK_PROBLEM, "say which program, as for execvp(3)", "%s: %s",
			    c->program, strerror(-err));
		return;
	}
	if (place_shim(shim) != 0) {
		check_found(c, "shim", CHECK_PROBLEM, "install it, or build it: make", "%s is not there",
			    shim);
		return;
	}
	switch (reach_check(path, shim, preload, why, sizeof(why))) {
	case REACH_SUPERVISE:
		check_found(c, "program", CHECK_OK, NULL, "%s: %s; skl run supervises it", path, why);
		break;
	case REACH_RIGHTS:
		check_found(c, "program", CHECK_PROBLEM, "start it as root, or use skl attach", "%s: %s",
			    path, why);
		break;
	case REACH_PRELOAD:
		if (reach_interpreter(path, interpreter) == 0 && starts_with(interpreter, "/"))
			try_to_load(c, interpreter, path, preload);
		else
			check_found(c, "program", CHECK_OK, NULL, "%s: nothing speaks against the shim",
				    path);
		break;
	}
}
