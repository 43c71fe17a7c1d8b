// SPDX-License-Identifier: BSD-2-Clause
/* skl detach: ends coverage while its program goes on. */
#include "helper/cli/skl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/client.h"

const char detach_help[] =
	"usage: skl detach ID...\n"
	"\n"
	"Ends what a listener covers, or one of its bindings, while its program goes on with the port that "
	"it\n"
	"bound itself. `skl status` shows the listeners' numbers, `skl status -j` those of bindings, too. A\n"
	"program that listens again (some do when they are reloaded) claims again.\n"
	"\n"
	"      --help    show this\n"
	"\n"
	"Exit code: 0, 1 where something was refused, 2 for a mistake in the command.\n"
	"\n"
	"example: skl detach 3\n";

static int detach_one(const char *id)
{
	struct client_answer answer;
	char text[64];
	int length, err;

	if (*id == '\0' || id[strspn(id, "0123456789")] != '\0' || strlen(id) > 20) {
		complain("detach: %s: not a number as `skl status` shows them: skl detach 3", id);
		return SKL_USAGE;
	}
	length = snprintf(text, sizeof(text), "ID=%s", id) + 1;
	err = client_ask(SKL_DETACH, 0, text, (size_t)length, -1, &answer);
	if (err) {
		client_complain(err);
		return SKL_FAILED;
	}
	if (answer.fd >= 0)
		close(answer.fd);
	if (answer.error)
		complain("%s", *answer.text ? answer.text : strerror(answer.error));
	return answer.error ? SKL_FAILED : SKL_OK;
}

int detach_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c, worst = SKL_OK;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(detach_help, stdout);
			return SKL_OK;
		}
		complain_option(c, argv);
		return SKL_USAGE;
	}
	if (!argv[optind]) {
		complain("detach: the number of a listener or binding must follow: skl detach 3");
		return SKL_USAGE;
	}
	for (; argv[optind]; optind++) {
		int code = detach_one(argv[optind]);

		worst = code > worst ? code : worst;
	}
	return worst;
}
