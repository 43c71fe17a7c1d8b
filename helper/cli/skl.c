// SPDX-License-Identifier: BSD-2-Clause
/* The command: picks what argv[1] names. */
#include "helper/cli/skl.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int help_main(int argc, char **argv);
static int version_main(int argc, char **argv);

static const char help_help[] = "usage: skl help [COMMAND]\n";
static const char version_help[] = "usage: skl version\n";

static const struct command {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
	const char *help;
} commands[] = {
	{"run", run_main, "start a program and cover further ports and addresses with its socket", run_help},
	{"status", status_main, "show who covers what, and how often it was used", status_help},
	{"attach", attach_main, "cover with the socket of a program that runs already", attach_help},
	{"upgrade", upgrade_main, "replace the program of a share without losing a connection", upgrade_help},
	{"detach", detach_main, "end what a listener or a binding covers", detach_help},
	{"trace", trace_main, "follow decisions about packets as they are made", trace_help},
	{"metrics", metrics_main, "print the counters for Prometheus", metrics_help},
	{"doctor", doctor_main, "find out why it does not work", doctor_help},
	{"version", version_main, "show the version", version_help},
	{"help", help_main, "show this, or the help of one command", help_help},
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static void overview(FILE *to)
{
	fputs("usage: skl COMMAND [OPTION]...\n\n", to);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(to, "  %-9s%s\n", commands[i].name, commands[i].summary);
	fputs("\nexample: skl run -p 7,77,777 -- ./server\n"
	      "`skl help COMMAND` tells more.\n",
	      to);
}

static int unknown(const char *name)
{
	complain("%s: no such command: see `skl help`", name);
	return SKL_USAGE;
}

static int help_main(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		overview(stdout);
		return SKL_OK;
	}
	c = find(argv[1]);
	if (!c)
		return unknown(argv[1]);
	fputs(c->help, stdout);
	return SKL_OK;
}

static int version_main(int argc, char **argv)
{
	if (argc > 1) {
		fputs(version_help, strcmp(argv[1], "--help") == 0 ? stdout : stderr);
		return strcmp(argv[1], "--help") == 0 ? SKL_OK : SKL_USAGE;
	}
	puts("skl " SKL_VERSION);
	return SKL_OK;
}

/*
 * A descriptor that we open must not become one of the standard three. What
 * takes their place vanishes with exec, so `skl run` hands on what it was given.
 */
static void occupy_standard_descriptors(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	const struct command *c;
	const char *name;
	int code;

	occupy_standard_descriptors();
	if (argc < 2) {
		overview(stderr);
		return SKL_USAGE;
	}
	name = argv[1];
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	else if (strcmp(name, "--version") == 0)
		name = "version";
	c = find(name);
	if (!c)
		return unknown(argv[1]);
	code = c->run(argc - 1, argv + 1);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		complain("standard output: %s", strerror(errno));
		code = code == SKL_OK ? SKL_FAILED : code;
	}
	return code;
}
