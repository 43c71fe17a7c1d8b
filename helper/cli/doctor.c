// SPDX-License-Identifier: BSD-2-Clause
/* skl doctor: why something is as it is. */
#include "helper/cli/skl.h"

#include <getopt.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "helper/cli/judge.h"
#include "helper/rules/items.h"

const char doctor_help[] =
	"usage: skl doctor --policy USER [--file FILE] PORT[/PROTO] [CIDR]\n"
	"\n"
	"Tells whether that user may cover these ports with a socket of this network namespace, and by "
	"which\n"
	"rule. PORT is one, a range as 8000-8099, or *; PROTO is tcp or udp, by default both are judged. "
	"Without\n"
	"a CIDR every address of IPv4 is meant. Whether somebody else has a port is another matter: skl "
	"status\n"
	"tells it.\n"
	"\n"
	"      --policy USER  the user, by name or number, with all groups that he has by /etc/group\n"
	"      --file FILE    the policy file (" POLICY_PATH ")\n"
	"      --help         show this\n"
	"\n"
	"Exit code: 0 when he may, 1 when he may not, 2 for what cannot be judged.\n";

static int usage_error(const char *what)
{
	complain("doctor: %s, as in: skl doctor --policy alice 80/tcp 192.0.2.0/24", what);
	return SKL_USAGE;
}

static int complain_of(const struct say *s)
{
	complain("doctor: %s", s->text);
	return SKL_USAGE;
}

static int judge_words(const struct judge *judge, char **words)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	struct rule rule = {.prefix = prefix_any(AF_INET)};
	struct port_item ports;
	struct say s = {0};
	bool all = true;

	if (item_ports((struct text){words[0], strlen(words[0])}, &ports, &s, "PORT") < 0)
		return complain_of(&s);
	if (words[1] && item_prefix((struct text){words[1], strlen(words[1])}, &rule.prefix, &s, "CIDR") < 0)
		return complain_of(&s);
	rule.first = ports.first;
	rule.last = ports.last;
	for (size_t i = 0; i < 2; i++) {
		rule.protocol = protocols[i];
		if (ports.protocol == 0 || ports.protocol == rule.protocol)
			all &= judge_rule(judge, &rule);
	}
	if (words[1])
		judge_route(judge, &rule.prefix);
	return all ? SKL_OK : SKL_FAILED;
}

int doctor_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"policy", required_argument, NULL, 'p'},
		{"file", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	const char *user = NULL, *file = POLICY_PATH;
	struct judge judge;
	int c, code;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":", options, NULL)) != -1) {
		switch (c) {
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
	if (!user)
		return usage_error("--policy must say whom it is to judge");
	if (argc - optind < 1 || argc - optind > 2)
		return usage_error("one PORT must follow, and a CIDR may");
	if (judge_open(&judge, user, file) != 0)
		return SKL_USAGE;
	code = judge_words(&judge, argv + optind);
	judge_close(&judge);
	return code;
}
