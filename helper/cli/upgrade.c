// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/skl.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "helper/cli/replace.h"
#include "helper/rules/items.h"

const char upgrade_help[] =
	"usage: skl upgrade NAME [--after TIME] [--timeout TIME] [--signal SIGNAL] [--keep-old]\n"
	"                   [--] PROGRAM [ARG]...\n"
	"\n"
	"Starts PROGRAM in the share NAME, waits until it listens, and then tells the processes that were\n"
	"there before to stop. Both use the same socket, so that no connection is refused. The new program\n"
	"stays when this command is through. The variables of libsklshim(7) hold for it, too.\n"
	"\n"
	"      --after TIME      from its listen() on, give PROGRAM so long before the old ones stop (5s)\n"
	"      --timeout TIME    how long PROGRAM may take to listen, and the old ones to end (30s)\n"
	"      --signal SIGNAL   what the old ones get (TERM)\n"
	"      --keep-old        only start PROGRAM, and leave the old ones\n"
	"      --help            show this\n"
	"\n"
	"Of a program with many processes only those get the signal that descend from no other. Under "
	"systemd\n"
	"the new main process is made known (MAINPID), as ExecReload= needs it.\n"
	"\n"
	"Exit code: 0 PROGRAM serves and the old ones are gone; 1 nothing was done; 2 an unknown option;\n"
	"124 PROGRAM serves, but old ones are still there; 125 PROGRAM did not listen in time or has ended:\n"
	"it was stopped, and the old ones were left alone.\n"
	"\n"
	"example: skl upgrade web --after 2s -- ./server-v2\n";

static int parse_signal(const char *text, int *number)
{
	const char *name = strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
	char *end;
	long n = strtol(text, &end, 10);

	if (*text && !*end && n > 0 && n < NSIG) {
		*number = (int)n;
		return 0;
	}
	for (int i = 1; i < NSIG; i++) {
		const char *known = sigabbrev_np(i);

		if (known && strcasecmp(known, name) == 0) {
			*number = i;
			return 0;
		}
	}
	return -EINVAL;
}

static int parse_value(struct replacement *r, int c, const char *value)
{
	struct text text = {value, strlen(value)};

	if (c == 's' ? parse_signal(value, &r->signal) == 0
		     : item_time(text, c == 'a' ? &r->after_ms : &r->timeout_ms))
		return 0;
	complain("upgrade: %s: not a %s", value, c == 's' ? "signal" : "time, as 5s or 500ms");
	return -EINVAL;
}

/* Returns -1 to go on, or the exit code. */
static int read_options(int argc, char **argv, struct replacement *r)
{
	static const struct option options[] = {
		{"after", required_argument, NULL, 'a'},  {"timeout", required_argument, NULL, 't'},
		{"signal", required_argument, NULL, 's'}, {"keep-old", no_argument, NULL, 'k'},
		{"help", no_argument, NULL, 'h'},	  {NULL, 0, NULL, 0},
	};
	int c;

	opterr = 0;
	/* NAME may stand before its options or behind them */
	for (;;) {
		while ((c = getopt_long(argc, argv, "+:", options, NULL)) != -1) {
			switch (c) {
			case 'k':
				r->keep_old = true;
				break;
			case 'h':
				fputs(upgrade_help, stdout);
				return SKL_OK;
			case '?':
			case ':':
				complain_option(c, argv);
				return SKL_USAGE;
			default:
				if (parse_value(r, c, optarg) != 0)
					return SKL_USAGE;
			}
		}
		if (r->share || !argv[optind])
			break;
		r->share = argv[optind++];
	}
	r->program = argv + optind;
	if (r->share && *r->program)
		return -1;
	complain("upgrade: which share, and which program? for example: skl upgrade web -- ./server-v2");
	return SKL_USAGE;
}

int upgrade_main(int argc, char **argv)
{
	struct replacement r = {.after_ms = 5000, .timeout_ms = 30000, .signal = SIGTERM};
	int code = read_options(argc, argv, &r);

	return code >= 0 ? code : replace(&r);
}
