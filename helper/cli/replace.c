// SPDX-License-Identifier: BSD-2-Clause
/*
 * Until the new program serves, the old one is not touched: whatever goes wrong
 * before costs nothing. From the first signal on there is no way back.
 */
#include "helper/cli/replace.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/cli/members.h"
#include "helper/cli/skl.h"
#include "helper/cli/successor.h"
#include "helper/notify.h"

#define POLL_MS 50
#define KILL_MS 5000 /* from SIGTERM to SIGKILL, for a new program that is not wanted */

struct replacing {
	const struct replacement *wanted;
	struct successor new;
	struct members old;
	struct timespec start;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

static uint64_t elapsed_ms(const struct replacing *r)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)((now.tv_sec - r->start.tv_sec) * 1000 + (now.tv_nsec - r->start.tv_nsec) / 1000000);
}

__attribute__((format(printf, 2, 3))) static void tell(const struct replacing *r, const char *format, ...)
{
	uint64_t ms = elapsed_ms(r);
	va_list args;

	printf("%4llu.%02llu s  ", (unsigned long long)ms / 1000, (unsigned long long)ms % 1000 / 10);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

static void pause_ms(struct replacing *r, uint64_t ms)
{
	poll(NULL, 0, (int)ms);
	successor_reap(&r->new);
}

static int give_up(struct replacing *r)
{
	uint64_t deadline = elapsed_ms(r) + KILL_MS;

	successor_signal(&r->new, SIGTERM);
	/* all that descends from it ends as a child of ours */
	while (waitpid(-1, NULL, WNOHANG) >= 0 && elapsed_ms(r) < deadline)
		poll(NULL, 0, POLL_MS);
	successor_signal(&r->new, SIGKILL);
	tell(r, "%s", r->old.n ? "gave up: the old processes go on" : "gave up");
	return REPLACE_NOT_JOINED;
}

/* True, having complained, where it is not to go on. */
static bool is_over(struct replacing *r)
{
	if (!interrupted)
		return successor_has_failed(&r->new);
	complain("upgrade %s: interrupted by signal %d", r->wanted->share, (int)interrupted);
	return true;
}

/* Returns the main process of the new program, or 0 having complained. */
static pid_t wait_until_joined(struct replacing *r)
{
	const struct replacement *w = r->wanted;
	uint64_t deadline = elapsed_ms(r) + w->timeout_ms;
	char program[16];
	pid_t found;

	while (!is_over(r)) {
		found = successor_main(&r->new, true, program);
		if (found) {
			tell(r, "%d %s has joined", found, program);
			return found;
		}
		if (elapsed_ms(r) >= deadline) {
			complain("upgrade %s: %s: does not listen in this share after %llu s", w->share,
				 w->program[0], (unsigned long long)w->timeout_ms / 1000);
			return 0;
		}
		pause_ms(r, POLL_MS);
	}
	return 0;
}

/* Is the new one still well after it had its time? Returns its main process, or 0 having complained. */
static pid_t prove(struct replacing *r, pid_t joined)
{
	uint64_t until = elapsed_ms(r) + r->wanted->after_ms;
	char program[16];
	pid_t found;

	while (elapsed_ms(r) < until) {
		uint64_t left = until - elapsed_ms(r);

		if (is_over(r))
			return 0;
		pause_ms(r, left < POLL_MS ? left : POLL_MS);
	}
	if (is_over(r))
		return 0;
	found = successor_main(&r->new, false, program);
	if (!found)
		complain("upgrade %s: %d has left the share again", r->wanted->share, joined);
	else if (found != joined)
		tell(r, "%d %s is its main process", found, program);
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

static void signal_old(struct replacing *r)
{
	const struct replacement *w = r->wanted;
	bool root[r->old.n + 1];

	/* all are chosen before the first one ends and its children get another parent */
	for (size_t i = 0; i < r->old.n; i++)
		root[i] = members_is_root(&r->old, &r->old.all[i]);
	for (size_t i = 0; i < r->old.n; i++) {
		struct members_one *one = &r->old.all[i];

		if (!root[i] || one->pidfd < 0)
			continue;
		if (syscall(SYS_pidfd_send_signal, one->pidfd, w->signal, NULL, 0) == 0)
			tell(r, "SIG%s to %d %s", sigabbrev_np(w->signal), one->pid, one->program);
		else if (errno != ESRCH)
			complain("upgrade %s: %d: %s", w->share, one->pid, strerror(errno));
	}
}

static int wait_for_old(struct replacing *r)
{
	const struct replacement *w = r->wanted;
	uint64_t deadline = elapsed_ms(r) + w->timeout_ms;
	size_t left = members_left(&r->old), before = left;

	while (left && elapsed_ms(r) < deadline && !interrupted) {
		pause_ms(r, POLL_MS);
		left = members_left(&r->old);
		if (left != before)
			tell(r, "%zu of %zu old processes have ended", r->old.n - left, r->old.n);
		before = left;
	}
	for (size_t i = 0; i < r->old.n && left; i++) {
		if (r->old.all[i].pidfd >= 0)
			complain("upgrade %s: %d %s: still there after %llu s", w->share, r->old.all[i].pid,
				 r->old.all[i].program, (unsigned long long)w->timeout_ms / 1000);
	}
	return left ? REPLACE_STILL_THERE : SKL_OK;
}

static int start_and_replace(struct replacing *r)
{
	const struct replacement *w = r->wanted;
	pid_t joined;
	int code = SKL_OK, err;

	tell(r, "share %s is %s, with %zu process%s", w->share, r->old.sockets, r->old.n,
	     r->old.n == 1 ? "" : "es");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	err = successor_start(&r->new);
	if (err) {
		complain("upgrade %s: %s", w->share, strerror(-err));
		return SKL_FAILED;
	}
	tell(r, "started %s: pid %d", w->program[0], r->new.child);
	joined = wait_until_joined(r);
	if (joined)
		joined = prove(r, joined);
	if (!joined)
		return give_up(r);
	tell_manager(joined);
	if (!w->keep_old) {
		signal_old(r);
		code = wait_for_old(r);
	}
	tell(r, "%s: %d serves %s", code ? "not all done" : "done", joined, w->share);
	return code;
}

int replace(const struct replacement *wanted)
{
	struct replacing r = {.wanted = wanted};
	struct sigaction on = {.sa_handler = on_signal};
	int code, err;

	clock_gettime(CLOCK_MONOTONIC, &r.start);
	err = members_read(wanted->share, &r.old);
	if (err) {
		if (err == -ENOENT)
			complain("upgrade %s: no such share of this user in this network namespace: start it "
				 "with `skl run --share %s`",
				 wanted->share, wanted->share);
		return SKL_FAILED;
	}
	r.new = (struct successor){.share = wanted->share, .program = wanted->program, .old = &r.old};
	sigaction(SIGINT, &on, NULL);
	sigaction(SIGTERM, &on, NULL);
	sigaction(SIGHUP, &on, NULL);
	code = start_and_replace(&r);
	members_free(&r.old);
	return code;
}
