// SPDX-License-Identifier: BSD-2-Clause
/* skl trace: decisions as they are made. */
#include "helper/cli/skl.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/cli/client.h"
#include "helper/cli/decision.h"
#include "helper/cli/terminal.h"

const char trace_help[] =
	"usage: skl trace [-j] [--netns PATH] [PORT]\n"
	"\n"
	"Shows, as they are made, the decisions about packets that open a connection (and each packet of "
	"UDP\n"
	"that is for no connected socket) to covered ports of this network namespace: when, from which "
	"client,\n"
	"to which address, who gets it and by which binding; or why it is left to the ordinary lookup, and "
	"so\n"
	"to whoever is bound there. Root sees all, others what is about their own listeners. Until "
	"interrupted.\n"
	"\n"
	"With PORT only those about this port and, for root, also while nothing covers it.\n"
	"\n"
	"  -j, --json        print a line of JSON for each\n"
	"      --netns PATH  in this network namespace: /run/netns/blue, /proc/PID/ns/net (root)\n"
	"      --help        show this\n"
	"\n"
	"While somebody watches, decisions take some hundred ns longer; else this costs nothing.\n"
	"\n"
	"Exit code: 0 when interrupted, 1 where the helper refuses or ends, 2 for a mistake in the command.\n"
	"\n"
	"example: skl trace 777\n";

static volatile sig_atomic_t ended;

static void on_signal(int signal)
{
	ended = 1;
}

struct output {
	bool json;
	struct decision_columns columns;
};

static int print_lost(const struct output *out, uint64_t count)
{
	fflush(stdout);
	if (out->json)
		printf("{\"lost\":%llu}\n", (unsigned long long)count);
	else
		complain("%llu decisions were lost: there were more than could be told",
			 (unsigned long long)count);
	return 0;
}

static int print_record(struct output *out, const char *at, const struct skl_record *head)
{
	struct skl_record_decision d;
	struct skl_record_lost lost;

	switch (head->kind) {
	case SKL_RECORD_DECISION:
		if (head->length < sizeof(d))
			return -EBADMSG;
		memcpy(&d, at, sizeof(d));
		if (!decision_is_valid(&d))
			return -EBADMSG;
		if (out->json)
			return decision_print_json(&d);
		decision_print(&out->columns, &d);
		return 0;
	case SKL_RECORD_LOST:
		if (head->length < sizeof(lost))
			return -EBADMSG;
		memcpy(&lost, at, sizeof(lost));
		return print_lost(out, lost.count);
	default: /* a later helper may tell more */
		return 0;
	}
}

static int print_message(struct output *out, const char *data, size_t size)
{
	struct skl_record head;
	int err = 0;

	for (size_t at = 0; at < size && !err; at += head.length) {
		if (size - at < sizeof(head))
			return -EBADMSG;
		memcpy(&head, data + at, sizeof(head));
		if (head.length < sizeof(head) || head.length % 8 || head.length > size - at)
			return -EBADMSG;
		err = print_record(out, data + at, &head);
	}
	if (fflush(stdout) != 0 && !err)
		err = -errno;
	return err;
}

/* Until a signal, or until nobody reads the output any more: 0. Else -errno; -ECONNRESET: the helper has
 * ended. */
static int follow(int sock, struct output *out, const sigset_t *while_waiting)
{
	static char message[65536];

	while (!ended) {
		struct pollfd fds[] = {{.fd = sock, .events = POLLIN}, {.fd = STDOUT_FILENO}};
		ssize_t n;
		int err;

		out->columns.terminal = terminal_width();
		if (ppoll(fds, 2, NULL, while_waiting) < 0) {
			if (errno != EINTR)
				return -errno;
			continue;
		}
		if (fds[1].revents & (POLLERR | POLLHUP))
			return 0;
		n = recv(sock, message, sizeof(message), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		err = print_message(out, message, (size_t)n);
		if (err)
			return err;
	}
	return 0;
}

static int enter(const char *netns)
{
	int fd = open(netns, O_RDONLY | O_CLOEXEC), err = fd < 0 || setns(fd, CLONE_NEWNET) < 0 ? -errno : 0;

	if (fd >= 0)
		close(fd);
	if (err)
		complain("trace: %s: %s: this takes root and the path of a network namespace: --netns "
			 "/run/netns/blue",
			 netns, strerror(-err));
	return err;
}

/* Returns a socket to be told on, or -errno having complained. */
static int ask(unsigned long port)
{
	struct client_answer answer;
	char text[16];
	size_t length = port ? (size_t)snprintf(text, sizeof(text), "PORT=%lu", port) + 1 : 0;
	int pair[2], err;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err = -errno;
		complain("trace: %s", strerror(-err));
		return err;
	}
	err = client_ask(SKL_TRACE, 0, text, length, pair[1], &answer);
	close(pair[1]);
	if (err) {
		client_complain(err);
	} else if (answer.fd >= 0) {
		close(answer.fd);
	}
	if (!err && answer.error) {
		complain("%s", *answer.text ? answer.text : strerror(answer.error));
		err = -answer.error;
	} else if (!err && *answer.text) {
		complain("%s", answer.text);
	}
	if (!err)
		return pair[0];
	close(pair[0]);
	return err;
}

static int watch_decisions(unsigned long port, struct output *out)
{
	const struct sigaction end = {.sa_handler = on_signal};
	sigset_t set, before;
	int sock, err;

	signal(SIGPIPE, SIG_DFL); /* who reads the first lines only has all that he wants */
	sigaction(SIGINT, &end, NULL);
	sigaction(SIGTERM, &end, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, &before);
	sigdelset(&before, SIGINT);
	sigdelset(&before, SIGTERM);
	sock = ask(port);
	if (sock < 0)
		return SKL_FAILED;
	if (isatty(STDERR_FILENO) && isatty(STDOUT_FILENO))
		complain("watching; ctrl-C ends it");
	err = follow(sock, out, &before);
	close(sock);
	if (err == -ECONNRESET)
		complain("%s: the helper has ended, or tells no more", client_helper());
	else if (err)
		complain("trace: %s", strerror(-err));
	return err ? SKL_FAILED : SKL_OK;
}

static bool parse_port(const char *text, unsigned long *port)
{
	if (*text == '\0' || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
		return false;
	*port = strtoul(text, NULL, 10);
	return *port >= 1 && *port <= 65535;
}

int trace_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"netns", required_argument, NULL, 'n'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	struct output out = {0};
	unsigned long port = 0;
	const char *netns = NULL;
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, ":j", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			out.json = true;
			break;
		case 'n':
			netns = optarg;
			break;
		case 'h':
			fputs(trace_help, stdout);
			return SKL_OK;
		default:
			complain_option(c, argv);
			return SKL_USAGE;
		}
	}
	if (argv[optind] && (!parse_port(argv[optind], &port) || argv[optind + 1])) {
		complain("trace: %s: one port at most: skl trace 777",
			 argv[optind + 1] ? argv[optind + 1] : argv[optind]);
		return SKL_USAGE;
	}
	if (netns && enter(netns) != 0)
		return SKL_FAILED;
	decision_columns(&out.columns, terminal_width());
	return watch_decisions(port, &out);
}
