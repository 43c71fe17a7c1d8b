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
#include <unistd.h>

#include "helper/cli/check.h"
#include "helper/cli/environment.h"
#include "helper/cli/list.h"
#include "helper/cli/prepare.h"
#include "helper/cli/reach.h"
#include "helper/cli/wanted.h"
#include "helper/wire.h"

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
	"                        it is done anyway with a PROGRAM that preload cannot reach (static, Go); "
	"ask\n"
	"                        for it where PROGRAM only executes such a one: a script, env, sh -c\n"
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
	const char *typed, *name;
} variables[] = {
	{'p', ',', "-p", "SKL_PORTS"},	{'c', ',', "-c", "SKL_CIDRS"},	  {'b', ' ', "-b", "SKL_BIND"},
	{'f', ',', "--for", "SKL_FOR"}, {'s', 0, "--share", "SKL_SHARE"}, {'o', 0, "--hold", "SKL_HOLD"},
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

/* Puts the values into the environment. 0, or -errno having complained. */
static int export_all(char *values[N_VARIABLES])
{
	int err = 0;

	for (size_t i = 0; i < N_VARIABLES; i++) {
		if (values[i] && !err)
			err = wanted_check(variables[i].typed, variables[i].name, values[i]);
		if (values[i] && !err)
			setenv(variables[i].name, values[i], 1);
		free(values[i]);
	}
	return err;
}

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
	return export_all(values) == 0 ? -1 : RUN_FAILED;
}

/* As the shim reads it. */
static bool disabled(void)
{
	const char *value = getenv("SKL_DISABLE");

	return value && *value && strcmp(value, "0") != 0;
}

static int ask_only(const struct wish *w)
{
	char *text = NULL;
	ssize_t length = environment_compose(&text);
	int result = length < 0 ? (int)length : check(w->has_at ? &w->at : NULL, text, (size_t)length);

	free(text);
	return result < 0 ? RUN_FAILED : result;
}

static int not_run(const char *program, int err, const char *why)
{
	complain("%s: %s", program, why);
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
	if (!environment_has("SKL_PORTS") && !environment_has("SKL_CIDRS") && !environment_has("SKL_BIND") &&
	    !environment_has("SKL_SHARE")) {
		complain("run: which ports or addresses? for example: skl run -p 7,77,777 -- ./server");
		return RUN_FAILED;
	}
	if (environment_has("SKL_HOLD") && !environment_has("SKL_SHARE")) {
		complain("run: --hold is for the socket of a share: --share names it");
		return RUN_FAILED;
	}
	err = reach_find(program, path);
	if (err)
		return not_run(program, -err, reach_why(program, err));
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
	return not_run(program, err, strerror(err));
}
