// SPDX-License-Identifier: BSD-2-Clause
/*
 * skl upgrade: the next version joins the share, then the old one leaves.
 *
 * Until the new program serves, the old one is not touched: whatever goes wrong
 * before costs nothing. From the first signal on there is no way back.
 */
#include "helper/cli/skl.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/cli/members.h"
#include "helper/notify.h"
#include "helper/rules/items.h"

#define POLL_MS 50
#define KILL_MS 5000 /* from SIGTERM to SIGKILL, for a new program that is not wanted */

enum {
	UPGRADE_STILL_THERE = 124,
	UPGRADE_NOT_JOINED = 125,
};

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

struct upgrade {
	const char *name;
	char **program;
	uint64_t after_ms, timeout_ms;
	int signal;
	bool keep_old;
	pid_t child; /* the new program; once it has ended, child_status tells how */
	bool child_ended;
	int child_status;
	struct members old;
	struct timespec start;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static uint64_t elapsed_ms(const struct upgrade *u)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - u->start.tv_sec) * 1000 + (now.tv_nsec - u->start.tv_nsec) / 1000000);
}

__attribute__((format(printf, 2, 3))) static void tell(const struct upgrade *u, const char *format, ...)
{
	uint64_t ms = elapsed_ms(u);
	va_list args;

	printf("%4llu.%02llu s  ", (unsigned long long)ms / 1000, (unsigned long long)ms % 1000 / 10);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

/* Whatever descends from the new program comes to us when its parent ends. Returns whether any of it is left.
 */
static bool reap(struct upgrade *u)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != u->child)
			continue;
		u->child_ended = true;
		u->child_status = status;
	}
	return pid == 0;
}

static void pause_ms(struct upgrade *u, uint64_t ms)
{
	poll(NULL, 0, (int)ms);
	reap(u);
}

static bool is_new(const struct upgrade *u, const struct members_one *one)
{
	return !members_find(&u->old, one->pid) && members_descends(one->pid, getpid());
}

/*
 * The main process of the new program, once one of its processes has the socket (and listens): of those that
 * asked for it or have it, the ancestor of that one. A master may leave the socket to its workers. 0: there
 * is none yet.
 */
static pid_t find_main(const struct upgrade *u, bool listens, char program[16])
{
	const struct members_one *found = NULL;
	struct members now;
	pid_t pid = 0;

	if (members_read(u->name, &now) != 0)
		return 0;
	for (size_t i = 0; i < now.n && !found; i++) {
		const struct members_one *one = &now.all[i];

		if (one->holds && (one->listens || !listens) && is_new(u, one))
			found = one;
	}
	for (size_t i = 0; i < now.n && found && !pid; i++) {
		const struct members_one *one = &now.all[i];

		if ((one != found && !members_descends(found->pid, one->pid)) || !is_new(u, one) ||
		    !members_is_root(&now, one))
			continue;
		pid = one->pid;
		memcpy(program, one->program, sizeof(one->program));
	}
	members_free(&now);
	return pid;
}

static void start_program(struct upgrade *u)
{
	char *argv[] = {"run", "--share", (char *)u->name, "--", NULL};
	size_t n = 4, m = 0;
	char **all;

	while (u->program[m])
		m++;
	u->child = fork();
	if (u->child != 0)
		return;
	/* its own session: the terminal of whoever upgrades it has no part in its life */
	setsid();
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	all = calloc(n + m + 1, sizeof(*all));
	if (!all)
		_exit(UPGRADE_NOT_JOINED);
	memcpy(all, argv, n * sizeof(*all));
	memcpy(all + n, u->program, m * sizeof(*all));
	optind = 0; /* getopt starts anew */
	exit(run_main((int)(n + m), all));
}

/* All that came of the new program: its session, and what has left that and joined. */
static void signal_new(const struct upgrade *u, int number)
{
	struct members now;

	kill(-u->child, number);
	if (members_read(u->name, &now) != 0)
		return;
	for (size_t i = 0; i < now.n; i++) {
		if (is_new(u, &now.all[i]))
			syscall(SYS_pidfd_send_signal, now.all[i].pidfd, number, NULL, 0);
	}
	members_free(&now);
}

static int give_up(struct upgrade *u)
{
	uint64_t deadline = elapsed_ms(u) + KILL_MS;

	signal_new(u, SIGTERM);
	/* all that descends from it ends as a child of ours */
	while (waitpid(-1, NULL, WNOHANG) >= 0 && elapsed_ms(u) < deadline)
		poll(NULL, 0, POLL_MS);
	signal_new(u, SIGKILL);
	tell(u, "%s", u->old.n ? "gave up: the old processes go on" : "gave up");
	return UPGRADE_NOT_JOINED;
}

/* True, having told, where the new program has failed by itself. One that ends well may have left a daemon.
 */
static bool has_failed(struct upgrade *u)
{
	bool any_left = reap(u);

	if (interrupted) {
		complain("upgrade %s: interrupted by signal %d", u->name, (int)interrupted);
		return true;
	}
	if (!u->child_ended || (any_left && WIFEXITED(u->child_status) && WEXITSTATUS(u->child_status) == 0))
		return false;
	if (WIFEXITED(u->child_status))
		complain("upgrade %s: %s: ended with exit code %d", u->name, u->program[0],
			 WEXITSTATUS(u->child_status));
	else
		complain("upgrade %s: %s: ended by signal %d", u->name, u->program[0],
			 WTERMSIG(u->child_status));
	return true;
}

/* Returns the main process of the new program, or 0 having complained. */
static pid_t wait_until_joined(struct upgrade *u)
{
	uint64_t deadline = elapsed_ms(u) + u->timeout_ms;
	char program[16];
	pid_t found;

	while (!has_failed(u)) {
		found = find_main(u, true, program);
		if (found) {
			tell(u, "%d %s has joined", found, program);
			return found;
		}
		if (elapsed_ms(u) >= deadline) {
			complain("upgrade %s: %s: does not listen in this share after %llu s", u->name,
				 u->program[0], (unsigned long long)u->timeout_ms / 1000);
			return 0;
		}
		pause_ms(u, POLL_MS);
	}
	return 0;
}

/* Is the new one still well after it had its time? Returns its main process, or 0 having complained. */
static pid_t prove(struct upgrade *u, pid_t joined)
{
	uint64_t until = elapsed_ms(u) + u->after_ms;
	char program[16];
	pid_t found;

	while (elapsed_ms(u) < until) {
		uint64_t left = until - elapsed_ms(u);

		if (has_failed(u))
			return 0;
		pause_ms(u, left < POLL_MS ? left : POLL_MS);
	}
	if (has_failed(u))
		return 0;
	found = find_main(u, false, program);
	if (!found)
		complain("upgrade %s: %d has left the share again", u->name, joined);
	else if (found != joined)
		tell(u, "%d %s is its main process", found, program);
	return found;
}

/* systemd must know the new main process before the old one ends, or it takes the service for ended. */
static void tell_manager(pid_t pid)
{
	struct pollfd done = {.events = 0};
	char text[32];
	int ends[2];

	if (!notify_open() || pipe(ends) < 0)
		return;
	snprintf(text, sizeof(text), "MAINPID=%d", pid);
	notify_tell(text, -1);
	notify_tell("BARRIER=1", ends[1]);
	close(ends[1]);
	done.fd = ends[0];
	poll(&done, 1, 5000);
	close(ends[0]);
}

static void signal_old(struct upgrade *u)
{
	bool root[u->old.n + 1];

	/* all are chosen before the first one ends and its children get another parent */
	for (size_t i = 0; i < u->old.n; i++)
		root[i] = members_is_root(&u->old, &u->old.all[i]);
	for (size_t i = 0; i < u->old.n; i++) {
		struct members_one *one = &u->old.all[i];

		if (!root[i] || one->pidfd < 0)
			continue;
		if (syscall(SYS_pidfd_send_signal, one->pidfd, u->signal, NULL, 0) == 0)
			tell(u, "SIG%s to %d %s", sigabbrev_np(u->signal), one->pid, one->program);
		else if (errno != ESRCH)
			complain("upgrade %s: %d: %s", u->name, one->pid, strerror(errno));
	}
}

static int wait_for_old(struct upgrade *u)
{
	uint64_t deadline = elapsed_ms(u) + u->timeout_ms;
	size_t left = members_left(&u->old), before = left;

	while (left && elapsed_ms(u) < deadline && !interrupted) {
		pause_ms(u, POLL_MS);
		left = members_left(&u->old);
		if (left != before)
			tell(u, "%zu of %zu old processes have ended", u->old.n - left, u->old.n);
		before = left;
	}
	for (size_t i = 0; i < u->old.n && left; i++) {
		if (u->old.all[i].pidfd >= 0)
			complain("upgrade %s: %d %s: still there after %llu s", u->name, u->old.all[i].pid,
				 u->old.all[i].program, (unsigned long long)u->timeout_ms / 1000);
	}
	return left ? UPGRADE_STILL_THERE : SKL_OK;
}

static int upgrade(struct upgrade *u)
{
	pid_t joined;
	int code = SKL_OK;

	tell(u, "share %s is %s, with %zu process%s", u->name, u->old.sockets, u->old.n,
	     u->old.n == 1 ? "" : "es");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	start_program(u);
	if (u->child < 0) {
		complain("upgrade %s: %s", u->name, strerror(errno));
		return SKL_FAILED;
	}
	tell(u, "started %s: pid %d", u->program[0], u->child);
	joined = wait_until_joined(u);
	if (joined)
		joined = prove(u, joined);
	if (!joined)
		return give_up(u);
	tell_manager(joined);
	if (!u->keep_old) {
		signal_old(u);
		code = wait_for_old(u);
	}
	tell(u, "%s: %d serves %s", code ? "not all done" : "done", joined, u->name);
	return code;
}

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

static int parse_value(struct upgrade *u, int c, const char *value)
{
	struct text text = {value, strlen(value)};

	if (c == 's' ? parse_signal(value, &u->signal) == 0
		     : item_time(text, c == 'a' ? &u->after_ms : &u->timeout_ms))
		return 0;
	complain("upgrade: %s: not a %s", value, c == 's' ? "signal" : "time, as 5s or 500ms");
	return -EINVAL;
}

/* Returns -1 to go on, or the exit code. */
static int read_options(int argc, char **argv, struct upgrade *u)
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
				u->keep_old = true;
				break;
			case 'h':
				fputs(upgrade_help, stdout);
				return SKL_OK;
			case '?':
			case ':':
				complain_option(c, argv);
				return SKL_USAGE;
			default:
				if (parse_value(u, c, optarg) != 0)
					return SKL_USAGE;
			}
		}
		if (u->name || !argv[optind])
			break;
		u->name = argv[optind++];
	}
	u->program = argv + optind;
	if (u->name && *u->program)
		return -1;
	complain("upgrade: which share, and which program? for example: skl upgrade web -- ./server-v2");
	return SKL_USAGE;
}

int upgrade_main(int argc, char **argv)
{
	struct upgrade u = {.after_ms = 5000, .timeout_ms = 30000, .signal = SIGTERM};
	struct sigaction on = {.sa_handler = on_signal};
	int code = read_options(argc, argv, &u), err;

	if (code >= 0)
		return code;
	clock_gettime(CLOCK_MONOTONIC, &u.start);
	err = members_read(u.name, &u.old);
	if (err) {
		if (err == -ENOENT)
			complain("upgrade %s: no such share of this user in this network namespace: start it "
				 "with "
				 "`skl run --share %s`",
				 u.name, u.name);
		return SKL_FAILED;
	}
	sigaction(SIGINT, &on, NULL);
	sigaction(SIGTERM, &on, NULL);
	sigaction(SIGHUP, &on, NULL);
	code = upgrade(&u);
	members_free(&u.old);
	return code;
}
