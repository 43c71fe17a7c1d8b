// SPDX-License-Identifier: BSD-2-Clause
#include "helper/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "helper/log.h"
#include "helper/wire.h"

static const char usage[] =
	"Usage: sklhelper [--socket PATH] [--policy FILE] [--bpffs DIR] [--log-level LEVEL] [--mode MODE]\n"
	"                 [--group GROUP] [--exit-idle]\n"
	"       sklhelper --check-policy [--policy FILE]\n"
	"       sklhelper --purge [--socket PATH] [--bpffs DIR]\n"
	"\n"
	"Steers extra ports and addresses to the sockets of programs that ask for it (see libsklshim(7)).\n"
	"\n"
	"  --socket PATH      where programs ask (" SKL_HELPER_SOCKET ")\n"
	"  --policy FILE      what is granted beyond what bind() allows: skl-policy.conf(5)\n"
	"                     (" POLICY_PATH "); SIGHUP reads it again\n"
	"  --check-policy     say in words what the policy file grants, and what is wrong with it\n"
	"  --bpffs DIR        where BPF maps and links are pinned, on a bpffs (" OPTIONS_BPFFS ")\n"
	"  --log-level LEVEL  error, warning, notice, info (as it is) or debug\n"
	"  --mode MODE        permissions of the socket, in octal (0660)\n"
	"  --group GROUP      group of the socket, where it exists (skl)\n"
	"  --exit-idle        leave, and remove all that was made, when no coverage is left\n"
	"  --purge            remove everything that helpers have made there, and end; not while one runs\n"
	"  --try              only tell whether this kernel and these rights allow it\n"
	"  --version, --help\n";

static int parse_mode(const char *text, mode_t *mode)
{
	char *end;
	unsigned long value = strtoul(text, &end, 8);

	if (*text == '\0' || *end != '\0' || value > 0777)
		return -EINVAL;
	*mode = (mode_t)value;
	return 0;
}

int options_parse(int argc, char **argv, struct options *o)
{
	enum {
		SOCKET = 256,
		BPFFS_DIR,
		POLICY,
		CHECK_POLICY,
		LEVEL,
		MODE,
		GROUP,
		EXIT_IDLE,
		PURGE,
		TRY,
		VERSION,
		HELP
	};
	static const struct option known[] = {
		{"socket", required_argument, NULL, SOCKET},
		{"bpffs", required_argument, NULL, BPFFS_DIR},
		{"policy", required_argument, NULL, POLICY},
		{"check-policy", no_argument, NULL, CHECK_POLICY},
		{"log-level", required_argument, NULL, LEVEL},
		{"mode", required_argument, NULL, MODE},
		{"group", required_argument, NULL, GROUP},
		{"exit-idle", no_argument, NULL, EXIT_IDLE},
		{"purge", no_argument, NULL, PURGE},
		{"try", no_argument, NULL, TRY},
		{"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, HELP},
		{0},
	};
	int option;

	*o = (struct options){
		.server = {.path = SKL_HELPER_SOCKET, .mode = 0660, .group = "skl"},
		.bpffs = OPTIONS_BPFFS,
		.policy = {.path = POLICY_PATH},
	};

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case SOCKET:
			o->server.path = optarg;
			break;
		case BPFFS_DIR:
			o->bpffs = optarg;
			break;
		case POLICY:
			o->policy.path = optarg;
			o->policy.named = true;
			break;
		case CHECK_POLICY:
			o->check_policy = true;
			break;
		case LEVEL:
			if (log_set_level(optarg) == 0)
				break;
			log_error("--log-level %s: is none of error, warning, notice, info, debug", optarg);
			return 2;
		case MODE:
			if (parse_mode(optarg, &o->server.mode) == 0)
				break;
			log_error("--mode %s: is not an octal number up to 0777", optarg);
			return 2;
		case GROUP:
			o->server.group = optarg;
			break;
		case EXIT_IDLE:
			o->server.exit_idle = true;
			break;
		case PURGE:
			o->purge = true;
			break;
		case TRY:
			o->try = true;
			break;
		case VERSION:
			puts("sklhelper " SKL_VERSION);
			return 0;
		case HELP:
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		log_error("%s: no argument is expected", argv[optind]);
		return 2;
	}
	return -1;
}
