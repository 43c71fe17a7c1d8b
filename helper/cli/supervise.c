// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/cli/skl.h"
#include "helper/fdpass.h"

#ifndef PR_SET_PTRACER
#define PR_SET_PTRACER 0x59616d61
#endif

/* Nothing of the program's must stay open because of us, but for stderr, where we tell what happens. */
static void leave_everything(int keep)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), top = (int)sysconf(_SC_OPEN_MAX);

	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	if (close_range(3, (unsigned int)keep - 1, 0) == 0 &&
	    close_range((unsigned int)keep + 1, ~0u, 0) == 0)
		return;
	for (int fd = 3; fd < top; fd++) { /* before Linux 5.9 */
		if (fd != keep)
			close(fd);
	}
}

/* The supervisor's process: waits for the descriptor, which the program sends once it has the filter. */
_Noreturn static void become_supervisor(int sock, const char *text, size_t length)
{
	pid_t self = getpid();
	struct iovec part = {&self, sizeof(self)};
	char byte;
	int notify;

	/* a signal to the program's process group, as of a terminal, is not for us */
	setsid();
	prctl(PR_SET_NAME, "skl-supervise");
	/* Nor is one to everything of a service, or of its user: it would take away what answers the program,
	 * which may well outlive it. We end when the program does. */
	for (int signal_number = 1; signal_number < NSIG; signal_number++)
		signal(signal_number, signal_number == SIGCHLD ? SIG_DFL : SIG_IGN);
	if (chdir("/") < 0 || fdpass_send(sock, &part, 1, -1) < 0)
		_exit(1);
	if (fdpass_receive(sock, &byte, 1, &notify) != 1 || notify < 0)
		_exit(1);
	leave_everything(notify);
	supervisor(notify, text, length);
}

/* Twice forked: the program has no child that it does not know of. */
static int fork_supervisor(int pair[2], const char *text, size_t length)
{
	pid_t child = fork();
	int status;

	if (child < 0)
		return -errno;
	if (child == 0) {
		close(pair[0]);
		child = fork();
		if (child != 0)
			_exit(child < 0);
		become_supervisor(pair[1], text, length);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EAGAIN;
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

int supervise_start(const char *text, size_t length)
{
	int pair[2], err;

	if (!proc_is_ours()) {
		complain("it cannot be supervised: /proc does not show this PID namespace: mount it there "
			 "(mount -t proc proc /proc; unshare has --mount-proc)");
		return -ENOENT;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		err = -errno;
	} else {
		err = fork_supervisor(pair, text, length);
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
