// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/supervise.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/cli/skl.h"
#include "helper/cli/title.h"
#include "helper/fdpass.h"

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

/* Where close_range() is forbidden, as by an old container's filter. */
static void close_from(int first)
{
	DIR *open_files = opendir("/proc/self/fd");
	const struct dirent *entry;

	while (open_files && (entry = readdir(open_files)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd >= first && fd != dirfd(open_files))
			close(fd);
	}
	if (open_files)
		closedir(open_files);
}

/* Nothing of the program's must stay open because of us, but for stderr, where we tell what happens. Returns
 * what `notify` is now. */
static int leave_everything(int notify)
{
	const int kept = STDERR_FILENO + 1;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (notify != kept && dup3(notify, kept, O_CLOEXEC) < 0)
		_exit(1);
	if (close_range((unsigned int)kept + 1, ~0u, 0) < 0)
		close_from(kept + 1);
	return kept;
}

/* What is to be supervised. */
struct target {
	pid_t pid;
	const char *program; /* its name, for who looks at processes */
	const char *text;    /* the variables, for the helper */
	size_t length;
};

/* The supervisor's process: waits for the descriptor, which the program sends once it has the filter. */
_Noreturn static void become_supervisor(int sock, const struct target *t)
{
	pid_t self = getpid();
	struct iovec part = {&self, sizeof(self)};
	char byte;
	int notify;

	/* a signal to the program's process group, as of a terminal, is not for us */
	setsid();
	prctl(PR_SET_NAME, "skl-supervise");
	title_set(t->pid, t->program);
	/* Nor is one to everything of a service, or of its user: it would take away what answers the program,
	 * which may well outlive it. We end when the program does. */
	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		signal(signal_number, signal_number == SIGCHLD ? SIG_DFL : SIG_IGN);
	if (chdir("/") < 0 || fdpass_send(sock, &part, 1, -1) < 0)
		_exit(1);
	if (fdpass_receive(sock, &byte, 1, &notify) != 1 || notify < 0)
		_exit(1);
	supervisor(leave_everything(notify), t->text, t->length);
}

/* Does what is forked twice come back as this process's own child? */
static bool adopts(void)
{
	int is_subreaper = 0;

	return getpid() == 1 || (prctl(PR_GET_CHILD_SUBREAPER, &is_subreaper, 0, 0, 0) == 0 && is_subreaper);
}

/*
 * The program must have no child that it does not know of: who waits until he
 * has none would wait for ever. So it is forked twice, or else it is one that
 * wait() shows only to who asks for such (__WCLONE), as it ends without a signal.
 */
static int fork_supervisor(int pair[2], const struct target *t)
{
	const bool once = adopts();
	pid_t child = once ? (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL) : fork(), ended;
	int status = 0;

	if (child < 0)
		return -errno;
	if (child == 0) {
		close(pair[0]);
		child = once ? 0 : fork();
		if (child != 0)
			_exit(child < 0);
		become_supervisor(pair[1], t);
	}
	if (once)
		return 0;
	do {
		ended = waitpid(child, &status, 0);
	} while (ended < 0 && errno == EINTR);
	/* where SIGCHLD is ignored, none is left to wait for; the supervisor will say whether it is there */
	return ended < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0) ? 0 : -EAGAIN;
}

static int install_and_send(int sock)
{
	struct iovec part = {(char[]){'!'}, 1};
	pid_t supervisor_pid;
	int none, notify, err;

	if (fdpass_receive(sock, &supervisor_pid, sizeof(supervisor_pid), &none) != sizeof(supervisor_pid))
		return -EPIPE;
	/* where the Yama module lets only ancestors trace */
	prctl(PR_SET_PTRACER, supervisor_pid);
	notify = trap_install();
	if (notify < 0)
		return notify;
	err = fdpass_send(sock, &part, 1, notify);
	close(notify);
	return err;
}

/* What is asked about is found below /proc by the numbers that are known here. */
static bool proc_is_ours(void)
{
	char name[16] = "", self[16];

	snprintf(self, sizeof(self), "%d", getpid());
	return readlink("/proc/self", name, sizeof(name) - 1) > 0 && strcmp(name, self) == 0;
}

int supervise_start(const char *program, const char *text, size_t length)
{
	const struct target target = {getpid(), program, text, length};
	int pair[2], err;

	if (!proc_is_ours()) {
		complain("it cannot be supervised: /proc does not show this PID namespace: mount it there "
			 "(mount -t proc proc /proc; unshare has --mount-proc)");
		return -ENOENT;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err = -errno;
	} else {
		err = fork_supervisor(pair, &target);
		close(pair[1]);
		if (!err)
			err = install_and_send(pair[0]);
		close(pair[0]);
	}
	if (err == -EBUSY)
		complain(
			"it is supervised already: a process has one supervisor (seccomp user notification)");
	else if (err)
		complain("it cannot be supervised: %s", strerror(-err));
	return err;
}
