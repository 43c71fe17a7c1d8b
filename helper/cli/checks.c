// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/checks.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/cli/place.h"
#include "helper/cli/text.h"

void check_found(struct checks *c, const char *what, enum check_verdict verdict, const char *mend,
		 const char *format, ...)
{
	char sentence[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	text_make_printable(sentence);
	c->problems += verdict == CHECK_PROBLEM;
	c->found(c, what, verdict, sentence, verdict == CHECK_OK ? NULL : mend);
}

static size_t read_all(int fd, char *out, size_t size)
{
	char rest[4096] = {0};
	size_t used = 0;
	ssize_t n;

	for (;;) {
		bool full = used + 1 >= size;

		n = read(fd, full ? rest : out + used, full ? sizeof(rest) : size - 1 - used);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		if (!full)
			used += (size_t)n;
	}
	out[used] = '\0';
	return used;
}

int check_command(char *const argv[], char *const environment[], char *out, size_t size)
{
	posix_spawn_file_actions_t actions;
	int pipe_fds[2], status, err;
	pid_t pid;

	out[0] = '\0';
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, pipe_fds[1], STDERR_FILENO);
	err = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environment ? environment : environ);
	posix_spawn_file_actions_destroy(&actions);
	close(pipe_fds[1]);
	if (!err)
		read_all(pipe_fds[0], out, size);
	close(pipe_fds[0]);
	if (err)
		return -1;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

unsigned int checks_run(struct checks *c)
{
	static const struct {
		void (*look)(struct checks *c);
		bool needs_proc;
	} all[] = {
		{check_kernel, false}, {check_bpf, true},      {check_bpffs, false},
		{check_helper, false}, {check_policy, true},   {check_others, true},
		{check_local, true},   {check_firewall, true}, {check_program, true},
	};
	const bool has_proc = place_has_proc();

	if (!has_proc)
		check_found(c, "proc", CHECK_PROBLEM, PLACE_MEND_PROC,
			    PLACE_NO_PROC ": what can be seen only there is not looked at");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (has_proc || !all[i].needs_proc)
			all[i].look(c);
	}
	report_free(&c->report);
	return c->problems;
}
