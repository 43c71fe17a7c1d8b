// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/successor.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/cli/skl.h"

/* In the child. */
_Noreturn static void become_program(const struct successor *s)
{
	char *argv[] = {"run", "--share", (char *)s->share, "--", NULL};
	size_t n = 4, m = 0;
	char **all;

	while (s->program[m])
		m++;
	/* its own session: the terminal of whoever upgrades it has no part in its life */
	setsid();
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGHUP, SIG_DFL);
	all = calloc(n + m + 1, sizeof(*all));
	if (!all)
		_exit(125); /* as run itself where it cannot */
	memcpy(all, argv, n * sizeof(*all));
	memcpy(all + n, s->program, m * sizeof(*all));
	optind = 0; /* getopt starts anew */
	exit(run_main((int)(n + m), all));
}

int successor_start(struct successor *s)
{
	s->child = fork();
	if (s->child == 0)
		become_program(s);
	return s->child < 0 ? -errno : 0;
}

bool successor_reap(struct successor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != s->child)
			continue;
		s->ended = true;
		s->status = status;
	}
	return pid == 0;
}

static bool is_of(const struct successor *s, const struct members_one *one)
{
	return !members_find(s->old, one->pid) && members_descends(one->pid, getpid());
}

pid_t successor_main(const struct successor *s, bool listens, char program[16])
{
	const struct members_one *found = NULL;
	struct members now;
	pid_t pid = 0;

	if (members_read(s->share, &now) != 0)
		return 0;
	for (size_t i = 0; i < now.n && !found; i++) {
		const struct members_one *one = &now.all[i];

		if (one->holds && (one->listens || !listens) && is_of(s, one))
			found = one;
	}
	for (size_t i = 0; i < now.n && found && !pid; i++) {
		const struct members_one *one = &now.all[i];

		if ((one != found && !members_descends(found->pid, one->pid)) || !is_of(s, one) ||
		    !members_is_root(&now, one))
			continue;
		pid = one->pid;
		memcpy(program, one->program, sizeof(one->program));
	}
	members_free(&now);
	return pid;
}

bool successor_has_failed(struct successor *s)
{
	bool any_left = successor_reap(s);

	if (!s->ended || (any_left && WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0))
		return false;
	if (WIFEXITED(s->status))
		complain("upgrade %s: %s: ended with exit code %d", s->share, s->program[0],
			 WEXITSTATUS(s->status));
	else
		complain("upgrade %s: %s: ended by signal %d", s->share, s->program[0], WTERMSIG(s->status));
	return true;
}

void successor_signal(const struct successor *s, int number)
{
	struct members now;

	kill(-s->child, number);
	if (members_read(s->share, &now) != 0)
		return;
	for (size_t i = 0; i < now.n; i++) {
		if (is_of(s, &now.all[i]))
			syscall(SYS_pidfd_send_signal, now.all[i].pidfd, number, NULL, 0);
	}
	members_free(&now);
}
