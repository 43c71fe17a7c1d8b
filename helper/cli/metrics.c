// SPDX-License-Identifier: BSD-2-Clause
/* skl metrics: the counters, for node_exporter's textfile collector. */
#include "helper/cli/skl.h"

#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/cli/exposition.h"

const char metrics_help[] =
	"usage: skl metrics [-o FILE]\n"
	"\n"
	"Prints, in the text format of Prometheus, what `skl status` shows. Where no helper answers, skl_up "
	"is 0\n"
	"and nothing else is there.\n"
	"\n"
	"  -o, --output FILE   write to FILE, which readers see whole or not at all\n"
	"      --help          show this\n"
	"\n"
	"Exit code: 0, 1 where FILE cannot be written, 2 for a mistake in the command.\n"
	"\n"
	"example, each minute: skl metrics -o /var/lib/prometheus/node-exporter/skl.prom\n";

static int write_to(FILE *out, const struct report *report)
{
	exposition_write(out, report);
	return fflush(out) != 0 || ferror(out) ? -errno : 0;
}

/* A file beside it that takes its place: a collector may read at any moment. */
static int write_file(const char *path, const struct report *report)
{
	char *temporary;
	FILE *out;
	int fd, err;

	if (asprintf(&temporary, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkstemp(temporary);
	out = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out) {
		err = -errno;
		if (fd >= 0) {
			close(fd);
			unlink(temporary);
		}
		free(temporary);
		return err;
	}
	err = write_to(out, report);
	if (!err && fchmod(fd, 0644) < 0)
		err = -errno;
	if (fclose(out) != 0 && !err)
		err = -errno;
	if (!err && rename(temporary, path) < 0)
		err = -errno;
	if (err)
		unlink(temporary);
	free(temporary);
	return err;
}

int metrics_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"output", required_argument, NULL, 'o'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *path = NULL;
	struct report report;
	bool up;
	int c, err;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":o:", options, NULL)) != -1) {
		switch (c) {
		case 'o':
			path = optarg;
			break;
		case 'h':
			fputs(metrics_help, stdout);
			return SKL_OK;
		default:
			complain_option(c, argv);
			return SKL_USAGE;
		}
	}
	if (argv[optind]) {
		complain("metrics: %s: not expected: see `skl help metrics`", argv[optind]);
		return SKL_USAGE;
	}
	up = report_fetch(&report) == 0;
	err = path ? write_file(path, up ? &report : NULL) : write_to(stdout, up ? &report : NULL);
	if (up)
		report_free(&report);
	if (err && path)
		complain("%s: %s", path, strerror(-err));
	return err ? SKL_FAILED : SKL_OK;
}
