// SPDX-License-Identifier: BSD-2-Clause
/* Of skl doctor: what stands between the shim and the program? */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "helper/cli/checks.h"
#include "helper/cli/place.h"
#include "helper/cli/reach.h"

#define NAMES (2 * PATH_MAX + 64)

/* Names it in a sentence: "PATH", or "PATH: a script of INTERPRETER". */
static void name_it(const char *path, const char *final, char out[NAMES])
{
	if (strcmp(path, final) == 0)
		snprintf(out, NAMES, "%s", path);
	else
		snprintf(out, NAMES, "%s: a script of %s", path, final);
}

/* By the dynamic loader itself, which lists what it would load and runs nothing of the program. */
static void try_to_load(struct checks *c, const char *path, const char *final, const char *loader,
			const char *shim)
{
	const char *whose = strcmp(path, final) == 0 ? ": its" : ", whose";
	const char *beyond = strcmp(path, final) == 0
				     ? ""
				     : "; what it executes is not looked at: a static program, or one in Go, "
				       "needs skl run --supervise";
	char out[16384], variable[PATH_MAX + 16], names[NAMES], *warning;
	int status;

	name_it(path, final, names);
	snprintf(variable, sizeof(variable), "LD_PRELOAD=%s", shim);
	status = check_command((char *[]){(char *)loader, "--list", (char *) final, NULL},
			       (char *[]){variable, "LC_ALL=C", NULL}, out, sizeof(out));
	warning = strstr(out, "ERROR: ld.so:");
	if (warning)
		warning[strcspn(warning, "\n")] = '\0';
	if (status != 0 || !strstr(out, "libsklshim.so") || warning)
		check_found(c, "program", CHECK_PROBLEM, "skl run --supervise does without the shim",
			    "%s%s loader %s does not take the shim: %s", names, whose, loader,
			    warning ? warning : "it is not in what it would load");
	else
		check_found(c, "program", CHECK_OK, NULL, "%s%s loader %s takes the shim%s", names, whose,
			    loader, beyond);
}

/* Why nothing is known of it. */
static void tell_unknown(struct checks *c, const char *path, const char *final, int err)
{
	if (err == -EACCES)
		check_found(c, "program", CHECK_UNKNOWN, "run skl doctor as root",
			    "%s: it cannot be read, so nothing is known of it", final);
	else if (err != -ENOEXEC)
		check_found(c, "program", CHECK_PROBLEM, "mend its line that begins with #!",
			    "%s: its interpreter %s: %s", path, final, strerror(-err));
	else
		check_found(c, "program", CHECK_UNKNOWN, "begin a script with #! and its interpreter",
			    "%s is neither an ELF program nor a script that begins with #!: /bin/sh runs it, "
			    "unless the kernel knows how (binfmt_misc)",
			    final);
}

/* Of one that preload can reach, as far as its file tells. */
static void look_at_loader(struct checks *c, const char *path, const char *shim)
{
	char final[PATH_MAX], loader[PATH_MAX];
	int err = reach_loader(path, final, loader);

	if (err)
		tell_unknown(c, path, final, err);
	else if (*loader == '/')
		try_to_load(c, path, final, loader, shim);
	else
		check_found(c, "program", CHECK_OK, NULL, "%s: nothing speaks against the shim", path);
}

void check_program(struct checks *c)
{
	char path[PATH_MAX], shim[PATH_MAX], preload[PATH_MAX], why[PATH_MAX + 100];
	char final[PATH_MAX], loader[PATH_MAX], names[NAMES];
	int err;

	if (!c->program)
		return;
	err = reach_find(c->program, path);
	if (err) {
		check_found(c, "program", CHECK_PROBLEM, "say which program, as for execvp(3)", "%s: %s",
			    c->program, reach_why(c->program, err));
		return;
	}
	if (place_shim(shim) != 0) {
		check_found(c, "shim", CHECK_PROBLEM, "install it, or build it: make", "%s is not there",
			    shim);
		return;
	}
	reach_loader(path, final, loader);
	name_it(path, final, names);
	switch (reach_check(path, shim, preload, why, sizeof(why))) {
	case REACH_SUPERVISE:
		check_found(c, "program", CHECK_OK, NULL, "%s: %s; skl run supervises it", names, why);
		break;
	case REACH_RIGHTS:
		check_found(c, "program", CHECK_PROBLEM,
			    "start it without skl and have root use skl attach --pid PID", "%s: %s", names,
			    why);
		break;
	case REACH_PRELOAD:
		look_at_loader(c, path, preload);
		break;
	}
}
