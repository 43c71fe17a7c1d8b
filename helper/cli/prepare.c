// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/prepare.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/cli/environment.h"
#include "helper/cli/place.h"
#include "helper/cli/reach.h"
#include "helper/cli/skl.h"
#include "helper/cli/start.h"
#include "helper/cli/supervise.h"

static bool warns(void)
{
	const char *value = getenv("SKL_ON_ERROR");

	return value && strcmp(value, "warn") == 0;
}

/* Tells that there will be no coverage. Returns whether the program runs without it. */
static bool go_on(const char *program, const char *why)
{
	if (!warns()) {
		if (why)
			complain("%s: %s: start it without skl and have root use `skl attach --pid PID`, "
				 "or use --warn to run it all the same",
				 program, why);
		return false;
	}
	if (why)
		complain("%s: warning: %s: it runs without coverage", program, why);
	else
		complain("%s: warning: it runs without coverage", program);
	return true;
}

/* Where SKL_WAIT is set somebody else starts it, and the program is told to wait for that. */
static int find_helper(void)
{
	return start_find(environment_has("SKL_WAIT"));
}

/* Is this word of an LD_PRELOAD that file? */
static bool is_file(const char *word, size_t length, const char *path)
{
	char name[PATH_MAX];
	struct stat a, b;

	if (length == strlen(path) && memcmp(word, path, length) == 0)
		return true;
	if (length >= sizeof(name))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)length, word);
	return stat(name, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* Adds the shim as the last one: others, such as a sanitizer's library, insist on being the first. */
static int preload(const char *shim)
{
	const char *old = getenv("LD_PRELOAD");
	const char *word = old;
	char *value;
	int err = 0;

	while (word && *word) {
		size_t length = strcspn(word, ": ");

		if (length && is_file(word, length, shim))
			return 0;
		word += length + (word[length] != '\0');
	}
	if (asprintf(&value, "%s%s%s", old ? old : "", old && *old ? ":" : "", shim) < 0)
		return -ENOMEM;
	if (setenv("LD_PRELOAD", value, 1) < 0)
		err = -errno;
	free(value);
	return err;
}

/* Finds the shim and puts it into LD_PRELOAD; w->supervise becomes true where that does not reach the
 * program. Returns 0, or -1 having complained. */
static int prepare_preload(const char *program, const char *path, struct wish *w)
{
	char shim[PATH_MAX], file[PATH_MAX], why[PATH_MAX + 100];
	int err = place_shim(shim);

	if (err) {
		if (place_has_proc())
			complain("%s: %s: the shim is not installed there, nor is it beside skl", shim,
				 strerror(-err));
		else
			complain(PLACE_NO_PROC ": " PLACE_MEND_PROC);
		return go_on(program, NULL) ? 0 : -1;
	}
	if (strpbrk(shim, ": ")) {
		complain("%s: LD_PRELOAD cannot name a path with a space or a colon: move it", shim);
		return go_on(program, NULL) ? 0 : -1;
	}
	switch (reach_check(path, shim, file, why, sizeof(why))) {
	case REACH_SUPERVISE:
		w->supervise = true;
		return 0;
	case REACH_RIGHTS:
		/* even then, what the program itself starts may be in reach */
		if (!go_on(program, why) || w->check)
			return -1;
		break;
	case REACH_PRELOAD:
		break;
	}
	err = preload(file);
	if (err)
		complain("LD_PRELOAD: %s", strerror(-err));
	return err ? -1 : 0;
}

static int start_supervised(const char *program)
{
	char *text = NULL;
	ssize_t length = environment_compose(&text);
	int err;

	if (length < 0) {
		complain("run: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = supervise_start(program, text, (size_t)length);
	free(text);
	return err;
}

/* Sees to it that being supervised takes nothing from the program; w->supervise becomes false where it would
 * and the program runs without. Returns 0, or -1 having complained. */
static int prepare_supervised(const char *program, const char *path, struct wish *w)
{
	const char *gain = trap_takes_rights() ? reach_gains(path) : NULL;
	char why[200];

	if (!gain)
		return 0;
	snprintf(why, sizeof(why), "%s, and would gain no rights if who is not privileged had it supervised",
		 gain);
	w->supervise = false;
	return go_on(program, why) && !w->check ? 0 : -1;
}

int prepare(const char *program, const char *path, struct wish *w)
{
	const bool asked = w->supervise;

	if (asked && prepare_supervised(program, path, w) != 0)
		return -1;
	if (asked && !w->supervise)
		return 0;
	if (!w->supervise && prepare_preload(program, path, w) != 0)
		return -1;
	if (w->supervise && environment_has("SKL_SHARE")) {
		complain("%s: its socket can be covered, but not shared: the shim does that, and it is out "
			 "of its "
			 "reach",
			 program);
		return go_on(program, NULL) ? 0 : -1;
	}
	if (w->print)
		return 0;
	if (w->check)
		return find_helper();
	if (find_helper() != 0 || (w->supervise && start_supervised(program) != 0))
		return go_on(program, NULL) ? 0 : -1;
	return 0;
}
