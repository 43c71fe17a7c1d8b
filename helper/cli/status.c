// SPDX-License-Identifier: BSD-2-Clause
/* skl status: who covers what. */
#include "helper/cli/skl.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/cli/explain.h"
#include "helper/cli/listing.h"
#include "helper/cli/report.h"
#include "helper/cli/terminal.h"
#include "helper/cli/watch.h"

const char status_help[] =
	"usage: skl status [-j] [-w] [--pid PID] [--port PORT] [--user USER] [--netns NETNS]\n"
	"       skl status PORT [ADDRESS]\n"
	"\n"
	"Shows each listener that covers something and, below it, the addresses and ports it covers and how\n"
	"often packets looked them up. A miss is a lookup that found the listener gone, an error one for "
	"which\n"
	"the kernel refused its socket; both went on to whoever is bound there. *:80 is bound to every IPv4\n"
	"and IPv6 address, 0.0.0.0:80 and [::]:80 to those of one family. A program is shadowed that has "
	"bound\n"
	"a covered port since it was granted: it gets nothing there while the coverage lasts.\n"
	"Then it shows the shares (SKL_SHARE): their sockets and the processes that have them open.\n"
	"\n"
	"With PORT, as in 777 or 53/udp: who gets the first packet to that port, on ADDRESS or wherever it "
	"makes\n"
	"a difference, and why nobody else does.\n"
	"\n"
	"  -j, --json    print JSON, as helper/cli/status.schema.json describes it\n"
	"  -w, --watch   draw the table anew each second, with how often each binding was used\n"
	"      --pid PID, --port PORT, --user USER, --netns INODE-OR-PATH\n"
	"                only listeners and shares of that process, with that port, of that user, in that "
	"namespace\n"
	"      --help    show this\n"
	"\n"
	"Exit code: 0, 1 where no helper answers or it refuses, 2 for an unknown option.\n";

static int answer_who(const char *port, const char *address)
{
	struct explain_question question;
	struct report report;
	struct stat netns;
	int err;

	if (explain_parse(port, address, &question) != 0)
		return SKL_USAGE;
	if (stat("/proc/self/ns/net", &netns) < 0 || report_fetch(&report) != 0)
		return SKL_FAILED;
	question.netns = netns.st_ino;
	err = explain(&report, &question);
	report_free(&report);
	if (err)
		complain("status: %s", strerror(-err));
	return err ? SKL_FAILED : SKL_OK;
}

int status_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},	{"watch", no_argument, NULL, 'w'},
		{"pid", required_argument, NULL, 'P'},	{"port", required_argument, NULL, 'r'},
		{"user", required_argument, NULL, 'u'}, {"netns", required_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},	{NULL, 0, NULL, 0},
	};
	struct report report = {0};
	struct filter filter = {0};
	bool json = false, watched = false;
	int c, err = 0;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":jw", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'w':
			watched = true;
			break;
		case 'P':
		case 'r':
		case 'u':
		case 'n':
			if (filter_add(&filter, c, optarg) != 0)
				return SKL_USAGE;
			break;
		case 'h':
			fputs(status_help, stdout);
			return SKL_OK;
		default:
			complain_option(c, argv);
			return SKL_USAGE;
		}
	}
	if (argv[optind]) {
		if (json || watched || (argv[optind + 1] && argv[optind + 2])) {
			complain("status: %s: not expected: see `skl help status`",
				 json || watched ? argv[optind] : argv[optind + 2]);
			return SKL_USAGE;
		}
		return answer_who(argv[optind], argv[optind + 1]);
	}
	if (watched && !json)
		return watch(&filter);
	if (watched) {
		complain("status: -w draws a table: not with -j");
		return SKL_USAGE;
	}
	if (report_fetch(&report) != 0)
		return SKL_FAILED;
	filter_apply(&filter, &report);
	if (json)
		err = listing_json(&report);
	else
		listing_all(&report, NULL, terminal_width(), 0);
	report_free(&report);
	if (err)
		complain("status: %s", strerror(-err));
	return err ? SKL_FAILED : SKL_OK;
}
