// SPDX-License-Identifier: BSD-2-Clause
/*
 * skl run: become the program, with the shim in it and a helper that expects it.
 *
 * Nothing of skl stays: the program keeps this process, its PID, signals, files
 * and exit code. All that could make the coverage be missing without a word is
 * therefore checked before.
 */
#include "helper/cli/skl.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/cli/check.h"
#include "helper/cli/client.h"
#include "helper/cli/environment.h"
#include "helper/cli/list.h"
#include "helper/cli/place.h"
#include "helper/cli/reach.h"
#include "helper/cli/start.h"
#include "helper/cli/supervise.h"

/* As env(1) has it. */
enum {
	RUN_FAILED = 125,
	RUN_NOT_EXECUTABLE = 126,
	RUN_NOT_FOUND = 127,
};

const char run_help[] =
	"usage: skl run [-p PORTS] [-c CIDRS] [-b BINDING]... [--for PORT] [--share NAME [--hold TIME]]\n"
	"               [--warn] [--supervise] [--] PROGRAM [ARG]...\n"
	"       skl run --check[=ADDR:PORT] ... [--] PROGRAM\n"
	"\n"
	"Starts PROGRAM; its listening socket then answers on further ports and addresses, too.\n"
	"\n"
	"  -p, --ports PORTS     further ports: 7,77,8000-8099; * is every port that is free\n"
	"  -c, --cidrs CIDRS     further addresses: 192.0.2.0/24,2001:db8::/64\n"
	"  -b, --bind BINDING    exactly this, CIDR:PORTS: 192.0.2.0/24:80 or [2001:db8::]/64:80-89\n"
	"      --for PORT        take the program's socket that is bound to this port, not its first one\n"
	"      --share NAME      use one socket together with the other programs of this name\n"
	"      --hold TIME       keep that socket open so long after its last program is gone: 30s, 500ms, "
	"2m\n"
	"      --warn            without coverage, say so and run PROGRAM all the same\n"
	"      --supervise       do not preload: a process beside PROGRAM answers for its listen() and "
	"bind(). So\n"
	"                        it is done anyway with programs that preload cannot reach: static ones, Go\n"
	"      --check[=ADDR:PORT]\n"
	"                        only ask the helper whether it would grant this to a program that listens "
	"on "
	"that\n"
	"                        address; by default on every one, and the port of --for\n"
	"      --print           only print the variables that PROGRAM would be given\n"
	"      --help            show this\n"
	"\n"
	"An option replaces the variable that the program reads: SKL_PORTS, SKL_CIDRS, SKL_BIND, SKL_FOR,\n"
	"SKL_SHARE, SKL_HOLD, SKL_ON_ERROR. Where no helper answers at SKL_HELPER (" SKL_HELPER_SOCKET ")\n"
	"and the caller is privileged, one is started there; it leaves when nothing is covered any more.\n"
	"\n"
	"Exit code: PROGRAM's own; 125 skl could not do it, 126 PROGRAM cannot be run, 127 it is not there.\n"
	"With --check: 0 granted, 1 refused (and why), 125, 126 and 127 as above.\n"
	"\n"
	"example: skl run -p 7,77,777 -- ./server\n";

/* The options that are variables by another name. */
static const struct variable {
	int option;
	char separator; /* between the values of an option that is given again; 0: the last one holds */
	const char *name;
} variables[] = {
	{'p', ',', "SKL_PORTS"}, {'c', ',', "SKL_CIDRS"}, {'b', ' ', "SKL_BIND"},
	{'f', ',', "SKL_FOR"},	 {'s', 0, "SKL_SHARE"},	  {'o', 0, "SKL_HOLD"},
};

#define N_VARIABLES (sizeof(variables) / sizeof(variables[0]))

static int add(char *values[N_VARIABLES], int option, const char *value)
{
	for (size_t i = 0; i < N_VARIABLES; i++) {
		if (variables[i].option != option)
			continue;
		if (variables[i].separator == 0) {
			free(values[i]);
			values[i] = NULL;
		}
		return list_add(&values[i], value, variables[i].separator);
	}
	return -EINVAL;
}

/* What is not said by a variable. */
struct wish {
	bool supervise;
	bool print; /* only the variables */
	bool check; /* only ask */
	bool has_at;
	struct address_pattern at; /* where the program would listen */
};

/* Puts the options into the environment, what is none of it into *w. Returns -1 to go on with argv[optind],
 * or the exit code. */
static int read_options(int argc, char **argv, struct wish *w)
{
	static const struct option options[] = {
		{"ports", required_argument, NULL, 'p'}, {"cidrs", required_argument, NULL, 'c'},
		{"bind", required_argument, NULL, 'b'},	 {"for", required_argument, NULL, 'f'},
		{"share", required_argument, NULL, 's'}, {"hold", required_argument, NULL, 'o'},
		{"warn", no_argument, NULL, 'w'},	 {"supervise", no_argument, NULL, 'S'},
		{"check", optional_argument, NULL, 'K'}, {"print", no_argument, NULL, 'P'},
		{"help", no_argument, NULL, 'h'},	 {NULL, 0, NULL, 0},
	};
	char *values[N_VARIABLES] = {NULL};
	int c, err;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:p:c:b:", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(run_help, stdout);
			return 0;
		case 'w':
			setenv("SKL_ON_ERROR", "warn", 1);
			break;
		case 'S':
			w->supervise = true;
			break;
		case 'P':
			w->print = true;
			break;
		case 'K':
			w->check = true;
			w->has_at = optarg;
			if (!optarg || address_parse(optarg, &w->at) == 0)
				break;
			complain("run: --check=%s: write ADDR:PORT, for example 127.0.0.1:80, [::1]:80 or 80",
				 optarg);
			return RUN_FAILED;
		case '?':
		case ':':
			complain_option(c, argv);
			return RUN_FAILED;
		default:
			err = add(values, c, optarg);
			if (err) {
				complain("run: an option's value: %s: see `skl help run`",
					 err == -EINVAL ? "it is empty" : strerror(-err));
				return RUN_FAILED;
			}
		}
	}
	for (size_t i = 0; i < N_VARIABLES; i++) {
		if (values[i])
			setenv(variables[i].name, values[i], 1);
		free(values[i]);
	}
	return -1;
}

static bool is_set(const char *name)
{
	const char *value = getenv(name);

	return value && *value;
}

static bool warns(void)
{
	const char *value = getenv("SKL_ON_ERROR");

	return value && strcmp(value, "warn") == 0;
}

/* As the shim reads it. */
static bool disabled(void)
{
	const char *value = getenv("SKL_DISABLE");

	return value && *value && strcmp(value, "0") != 0;
}

/* Tells that there will be no coverage. Returns whether the program runs without it. */
static bool go_on(const char *program, const char *why)
{
	if (!warns()) {
		if (why)
			complain("%s: %s: start it without skl and use `skl attach --pid PID`, "
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

/* Sees to it that a helper expects us. Returns 0, or -errno having complained. */
static int call_helper(void)
{
	int err = client_make_absolute();

	if (!err)
		err = start_expect();
	if (!client_is_absent(err))
		return err;
	/* somebody else starts it, and the program is told to wait for that */
	if (is_set("SKL_WAIT"))
		return 0;
	if (start_may())
		return start_helper();
	client_complain(err);
	return err;
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
		complain("%s: %s: the shim is not installed there, nor is it beside skl", shim,
			 strerror(-err));
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

static int start_supervised(void)
{
	char *text = NULL;
	ssize_t length = environment_compose(&text);
	int err;

	if (length < 0) {
		complain("run: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	err = supervise_start(text, (size_t)length);
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

/* Prepares the coverage of the program that was found at path. Returns 0, or -1 having complained. */
static int prepare(const char *program, const char *path, struct wish *w)
{
	const bool asked = w->supervise;

	if (asked && prepare_supervised(program, path, w) != 0)
		return -1;
	if (asked && !w->supervise)
		return 0;
	if (!w->supervise && prepare_preload(program, path, w) != 0)
		return -1;
	if (w->supervise && is_set("SKL_SHARE")) {
		complain("%s: its socket can be covered, but not shared: the shim does that, and it is out "
			 "of its "
			 "reach",
			 program);
		return go_on(program, NULL) ? 0 : -1;
	}
	if (w->print)
		return 0;
	if (w->check)
		return call_helper();
	if (call_helper() != 0 || (w->supervise && start_supervised() != 0))
		return go_on(program, NULL) ? 0 : -1;
	return 0;
}

static int ask_only(const struct wish *w)
{
	char *text = NULL;
	ssize_t length = environment_compose(&text);
	int result = length < 0 ? (int)length : check(w->has_at ? &w->at : NULL, text, (size_t)length);

	free(text);
	return result < 0 ? RUN_FAILED : result;
}

static int not_run(const char *program, int err)
{
	complain("%s: %s", program, strerror(err));
	return err == ENOENT ? RUN_NOT_FOUND : RUN_NOT_EXECUTABLE;
}

int run_main(int argc, char **argv)
{
	char path[PATH_MAX];
	struct wish w = {0};
	const char *program;
	int err = read_options(argc, argv, &w);

	if (err >= 0)
		return err;
	program = argv[optind];
	if (!program) {
		complain("run: which program? for example: skl run -p 7,77,777 -- ./server");
		return RUN_FAILED;
	}
	if (!is_set("SKL_PORTS") && !is_set("SKL_CIDRS") && !is_set("SKL_BIND") && !is_set("SKL_SHARE")) {
		complain("run: which ports or addresses? for example: skl run -p 7,77,777 -- ./server");
		return RUN_FAILED;
	}
	if (is_set("SKL_HOLD") && !is_set("SKL_SHARE")) {
		complain("run: --hold is for the socket of a share: --share names it");
		return RUN_FAILED;
	}
	err = reach_find(program, path);
	if (err)
		return not_run(program, -err);
	if (disabled())
		complain("%s: warning: SKL_DISABLE is set: it runs without coverage", program);
	else if (prepare(program, path, &w) != 0)
		return RUN_FAILED;
	if (w.print) {
		environment_print(path, w.supervise);
		return 0;
	}
	if (w.check)
		return ask_only(&w);
	execvp(program, argv + optind);
	err = errno;
	if (err == ENOENT && access(path, F_OK) == 0)
		complain("%s: the interpreter that it names is missing", path);
	return not_run(program, err);
}
