// SPDX-License-Identifier: BSD-2-Clause
/* skl attach: the same claim as the shim's, for a program that runs already or cannot load it. */
#include "helper/cli/skl.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/address.h"
#include "helper/cli/client.h"
#include "helper/cli/list.h"
#include "helper/cli/sockets.h"
#include "helper/cli/start.h"
#include "helper/cli/target.h"
#include "helper/cli/wanted.h"

const char attach_help[] =
	"usage: skl attach --pid PID [--listen ADDR:PORT] [-p PORTS] [-c CIDRS] [-b BINDING]...\n"
	"\n"
	"Covers further ports and addresses with the listening TCP socket of a program that runs already.\n"
	"The program needs no shim and notices nothing.\n"
	"\n"
	"      --pid PID            the process that has the socket\n"
	"      --listen ADDR:PORT   which one, where it has several: 127.0.0.1:80, [::1]:80, *:80 for the "
	"one\n"
	"                           on every address, 80 for that port on any\n"
	"  -p, --ports PORTS        further ports: 7,77,8000-8099; * is every port that is free\n"
	"  -c, --cidrs CIDRS        further addresses: 192.0.2.0/24,2001:db8::/64\n"
	"  -b, --bind BINDING       exactly this, CIDR:PORTS: 192.0.2.0/24:80 or [2001:db8::]/64:80-89\n"
	"      --help               show this\n"
	"\n"
	"It takes the caller's right to trace that process: root's, or the same user's where the system\n"
	"allows it (kernel.yama.ptrace_scope).\n"
	"\n"
	"Exit code: 0, 1 where something was refused, 2 for a mistake in the command.\n"
	"\n"
	"example: skl attach --pid 4711 -p 7,77,777\n";

enum list { PORTS, CIDRS, BIND, N_LISTS };

/* As options and as variables of the wire. */
static const struct {
	const char *typed, *name;
} lists[N_LISTS] = {
	[PORTS] = {"-p", "SKL_PORTS"},
	[CIDRS] = {"-c", "SKL_CIDRS"},
	[BIND] = {"-b", "SKL_BIND"},
};

struct wish {
	pid_t pid;
	const char *listen; /* as given, or NULL */
	struct address_pattern pattern;
	char *lists[N_LISTS];
};

static int parse_pid(const char *text, pid_t *pid)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (*text == '\0' || *end || errno || value < 1 || value > 0x7fffffff)
		return -EINVAL;
	*pid = (pid_t)value;
	return 0;
}

static int add(struct wish *w, enum list list, const char *value)
{
	int err = list_add(&w->lists[list], value, list == BIND ? ' ' : ',');

	if (err)
		complain("attach: an option's value: %s: see `skl help attach`",
			 err == -EINVAL ? "it is empty" : strerror(-err));
	return err;
}

/* Returns 0, -EAGAIN where help was asked for and shown, or another -errno having complained. */
static int read_options(int argc, char **argv, struct wish *w)
{
	static const struct option options[] = {
		{"pid", required_argument, NULL, 'P'},
		{"listen", required_argument, NULL, 'l'},
		{"ports", required_argument, NULL, 'p'},
		{"cidrs", required_argument, NULL, 'c'},
		{"bind", required_argument, NULL, 'b'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c, err = 0;

	opterr = 0;
	while (!err && (c = getopt_long(argc, argv, ":p:c:b:", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			fputs(attach_help, stdout);
			return -EAGAIN;
		case 'P':
			err = parse_pid(optarg, &w->pid);
			if (err)
				complain("attach: --pid %s: that is not the number of a process", optarg);
			break;
		case 'l':
			w->listen = optarg;
			err = address_parse(optarg, &w->pattern);
			if (err)
				complain("attach: --listen %s: write ADDR:PORT, for example 127.0.0.1:80, "
					 "[::1]:80, *:80 or 80",
					 optarg);
			break;
		case 'p':
			err = add(w, PORTS, optarg);
			break;
		case 'c':
			err = add(w, CIDRS, optarg);
			break;
		case 'b':
			err = add(w, BIND, optarg);
			break;
		default:
			complain_option(c, argv);
			err = -EINVAL;
		}
	}
	return err;
}

static int check_lists(const struct wish *w)
{
	int err = 0;

	for (int i = 0; !err && i < N_LISTS; i++) {
		if (w->lists[i])
			err = wanted_check(lists[i].typed, lists[i].name, w->lists[i]);
	}
	return err;
}

/* What must be there whatever the order. Returns 0, or -errno having complained. */
static int check(char **argv, const struct wish *w)
{
	if (argv[optind])
		complain("attach: %s: not expected: see `skl help attach`", argv[optind]);
	else if (!w->pid)
		complain("attach: which process? for example: skl attach --pid 4711 -p 7,77,777");
	else if (!w->lists[PORTS] && !w->lists[CIDRS] && !w->lists[BIND])
		complain("attach: which ports or addresses? for example: skl attach --pid %d -p 7,77,777",
			 w->pid);
	else
		return check_lists(w);
	return -EINVAL;
}

/* The wish as the variables of the wire. Returns their length, or -errno; *text is the caller's to free. */
static ssize_t compose(const struct wish *w, char **text)
{
	size_t size = 0;
	FILE *f = open_memstream(text, &size);

	if (!f)
		return -errno;
	for (int i = 0; i < N_LISTS; i++)
		if (w->lists[i])
			fprintf(f, "%s=%s%c", lists[i].name, w->lists[i], '\0');
	return fclose(f) == 0 ? (ssize_t)size : -ENOMEM;
}

static int claim(pid_t pid, const struct sockets_one *one, const char *text, size_t length)
{
	struct client_answer answer;
	int err = client_ask(SKL_CLAIM_ATTACH, pid, text, length, one->fd, &answer);

	if (err) {
		client_complain(err);
		return err;
	}
	if (answer.fd >= 0)
		close(answer.fd);
	if (answer.error)
		complain("%s", *answer.text ? answer.text : strerror(answer.error));
	else if (*answer.text)
		complain("%s", answer.text);
	return -answer.error;
}

/* Claims for each socket, and tells of each listener once, with its last one. */
static int claim_all(const struct sockets *s, const struct wish *w)
{
	char *text = NULL;
	ssize_t length = compose(w, &text);
	int err = 0;

	if (length < 0) {
		complain("attach: %s", strerror((int)-length));
		return (int)length;
	}
	for (size_t i = 0; !err && i < s->n; i++) {
		char where[ADDRESS_TEXT];
		size_t later = i + 1;

		err = claim(w->pid, &s->all[i], text, (size_t)length);
		while (later < s->n && !sockets_same_listener(&s->all[i], &s->all[later]))
			later++;
		if (err || later < s->n)
			continue;
		address_format(&s->all[i].address, where);
		printf("tcp %s of process %d is attached\n", where, w->pid);
	}
	free(text);
	return err;
}

static int attach(const struct wish *w)
{
	struct sockets s;
	int err = sockets_take(w->pid, &s);

	if (err)
		target_complain(w->pid, err);
	else
		err = sockets_choose(&s, w->pid, w->listen, &w->pattern);
	if (!err)
		err = start_find(false);
	if (!err)
		err = claim_all(&s, w);
	sockets_free(&s);
	return err;
}

int attach_main(int argc, char **argv)
{
	struct wish w = {0};
	int code, err = read_options(argc, argv, &w);

	if (err == -EAGAIN)
		code = SKL_OK;
	else if (err || check(argv, &w) != 0)
		code = SKL_USAGE;
	else
		code = attach(&w) == 0 ? SKL_OK : SKL_FAILED;
	for (int i = 0; i < N_LISTS; i++)
		free(w.lists[i]);
	return code;
}
