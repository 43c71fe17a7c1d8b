// SPDX-License-Identifier: BSD-2-Clause
/* skl doctor: why something is as it is. */
#include "helper/cli/skl.h"

#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/checks.h"
#include "helper/cli/judge.h"
#include "helper/cli/terminal.h"
#include "helper/cli/text.h"

const char doctor_help[] =
	"usage: skl doctor [-j] [PROGRAM]\n"
	"       skl doctor --policy USER [--file FILE] PORT[/PROTO] [CIDR]\n"
	"\n"
	"Looks at everything between a client and PROGRAM, and tells of each thing whether it is well and, "
	"where\n"
	"it is not, how to mend it. Run by root it sees most.\n"
	"\n"
	"The second form tells whether that user may cover these ports with a socket of this network "
	"namespace,\n"
	"and by which rule. PORT is one, a range as 8000-8099, or *; PROTO is tcp or udp, by default both "
	"are\n"
	"judged. Without a CIDR every address of IPv4 is meant. Whether somebody else has a port is another\n"
	"matter: skl status tells it.\n"
	"\n"
	"  -j, --json         print JSON: an array of {check, verdict, sentence, mend}\n"
	"      --policy USER  the user, by name or number, with all groups that he has by /etc/group\n"
	"      --file FILE    the policy file (" POLICY_PATH ")\n"
	"      --help         show this\n"
	"\n"
	"Exit code: 0 where nothing is wrong, or he may; 1 where something is, or he may not; 2 for a "
	"mistake "
	"in the\ncommand or in the policy file.\n"
	"\n"
	"example: sudo skl doctor ./server\n";

static const char *const verdicts[] = {
	[CHECK_OK] = "ok",
	[CHECK_PROBLEM] = "problem",
	[CHECK_UNKNOWN] = "unknown",
};

#define INDENT 20 /* of the sentences */

struct look {
	bool colour;
	size_t width; /* of the terminal, or 0 */
	struct json_object *array;
};

static void print_found(struct checks *c, const char *what, enum check_verdict verdict, const char *sentence,
			const char *mend)
{
	static const char *const colours[] = {"\033[32m", "\033[31m", "\033[33m"};
	const struct look *look = c->context;

	printf("%s%-8s%s %-10s ", look->colour ? colours[verdict] : "", verdicts[verdict],
	       look->colour ? "\033[0m" : "", what);
	terminal_wrap(INDENT, sentence, look->width);
	if (!mend)
		return;
	printf("%-*s-> ", INDENT, "");
	terminal_wrap(INDENT + 3, mend, look->width);
}

static void add_found(struct checks *c, const char *what, enum check_verdict verdict, const char *sentence,
		      const char *mend)
{
	const struct look *look = c->context;
	struct json_object *o = json_object_new_object();
	char valid[1024];

	snprintf(valid, sizeof(valid), "%s", sentence);
	text_make_valid(valid);
	json_object_object_add(o, "check", json_object_new_string(what));
	json_object_object_add(o, "verdict", json_object_new_string(verdicts[verdict]));
	json_object_object_add(o, "sentence", json_object_new_string(valid));
	json_object_object_add(o, "mend", mend ? json_object_new_string(mend) : NULL);
	json_object_array_add(look->array, o);
}

static unsigned int examine(const char *program, bool json)
{
	const char *no_color = getenv("NO_COLOR");
	struct look look = {.colour = isatty(STDOUT_FILENO) && (!no_color || !*no_color),
			    .width = terminal_width()};
	struct checks c = {.found = json ? add_found : print_found, .context = &look, .program = program};
	unsigned int problems;

	if (json)
		look.array = json_object_new_array();
	problems = checks_run(&c);
	if (json)
		puts(json_object_to_json_string_ext(look.array, JSON_C_TO_STRING_PRETTY |
									JSON_C_TO_STRING_SPACED |
									JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(look.array);
	return problems;
}

int doctor_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"policy", required_argument, NULL, 'p'},
		{"file", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *user = NULL, *file = NULL;
	bool json = false;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":j", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'p':
			user = optarg;
			break;
		case 'f':
			file = optarg;
			break;
		case 'h':
			fputs(doctor_help, stdout);
			return SKL_OK;
		default:
			complain_option(c, argv);
			return SKL_USAGE;
		}
	}
	if (user || file)
		return judge_main(user, file, argv + optind);
	if (argv[optind] && argv[optind + 1]) {
		complain("doctor: %s: not expected: one PROGRAM may follow: skl doctor ./server",
			 argv[optind + 1]);
		return SKL_USAGE;
	}
	return examine(argv[optind], json) ? SKL_FAILED : SKL_OK;
}
