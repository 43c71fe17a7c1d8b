// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/start.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "helper/cli/client.h"
#include "helper/cli/place.h"
#include "helper/cli/skl.h"
#include "helper/lock.h"

#define RETRY_MS	 5
#define DEADLINE_MS	 10000
/* When ours has left, then because another one came first, which may need a moment until it answers, or
 * because another one was about to leave itself, and we need a new one. Where it says so, that is waited for.
 */
#define GRACE_MS	 200
#define GRACE_ANOTHER_MS 1000
#define STARTS		 5

/* 0, or -errno having complained unless client_is_absent(). A helper that refuses is -EPROTO. */
static int expect_us(void)
{
	struct client_answer answer;
	int err = client_ask(SKL_EXPECT, 0, NULL, 0, -1, &answer);

	if (err) {
		if (!client_is_absent(err))
			client_complain(err);
		return err;
	}
	if (answer.fd >= 0)
		close(answer.fd);
	if (!answer.error)
		return 0;
	complain("%s: %s", client_helper(), *answer.text ? answer.text : strerror(answer.error));
	return -EPROTO; /* whatever it was, not that it is absent */
}

/* Has this process what a helper needs to do its work? */
static bool may_start(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	uint64_t effective;

	if (geteuid() == 0)
		return true;
	if (syscall(SYS_capget, &head, data) < 0)
		return false;
	effective = (uint64_t)data[1].effective << 32 | data[0].effective;
	return effective >> CAP_BPF & effective >> CAP_NET_ADMIN & effective >> CAP_SYS_ADMIN &
	       effective >> CAP_SYS_PTRACE & 1;
}

/* A helper takes nothing over from whoever happened to start it: not its signals, files, directory,
 * environment. */
static _Noreturn void become_helper(const char *path, const char *socket_path, int errors)
{
	char *argv[] = {(char *)path, "--exit-idle", "--socket", (char *)socket_path, NULL};
	char *environment[] = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	int null = open("/dev/null", O_RDWR);
	sigset_t none;

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    dup2(errors, STDERR_FILENO) < 0 || close_range(STDERR_FILENO + 1, ~0U, 0) < 0 || chdir("/") < 0)
		_exit(1);
	umask(022);
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execve(path, argv, environment);
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(1);
}

/*
 * Starts it as nobody's child, so that the program that this process becomes
 * never waits for a child it does not know. Returns the end to read its
 * messages from, or -errno.
 */
static int launch(const char *path)
{
	int ends[2], status, err;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child == 0) {
		setsid();
		child = fork();
		if (child == 0)
			become_helper(path, client_helper(), ends[1]);
		_exit(0);
	}
	err = child < 0 ? -errno : 0;
	close(ends[1]);
	if (!err) {
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		fcntl(ends[0], F_SETFL, O_NONBLOCK);
		return ends[0];
	}
	close(ends[0]);
	return err;
}

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What a helper has said so far. */
struct messages {
	int fd; /* -1 once it has closed its end */
	size_t length;
	char text[4096];
};

/* Reads what there is, waiting for it no longer than this. What has no room is dropped. */
static void listen_for(struct messages *m, int timeout_ms)
{
	struct pollfd p = {.fd = m->fd, .events = POLLIN};
	size_t room = sizeof(m->text) - 1 - m->length;
	char more[512];
	ssize_t n;

	if (poll(&p, 1, timeout_ms) <= 0)
		return;
	n = read(m->fd, more, sizeof(more));
	if (n <= 0) {
		close(m->fd);
		m->fd = -1;
		return;
	}
	if ((size_t)n < room)
		room = (size_t)n;
	memcpy(m->text + m->length, more, room);
	m->length += room;
	m->text[m->length] = '\0';
}

/* Shows them without the priorities ("<3>") that they carry for a journal. */
static void tell(struct messages *m)
{
	char *line, *rest = m->text;

	while ((line = strsep(&rest, "\n")) != NULL)
		complain("%s", line[0] == '<' && line[1] && line[2] == '>' ? line + 3 : line);
}

static bool another_works(const struct messages *m)
{
	return strstr(m->text, LOCK_ANOTHER) != NULL;
}

/*
 * Waits until a helper expects us: ours, or another one. Returns 0, or -errno:
 * where no helper is there, because ours has left (then its end of `m` is
 * closed) or does not answer; otherwise having complained.
 */
static int await(struct messages *m, long deadline)
{
	for (;;) {
		bool left = m->fd < 0;
		int err = expect_us();

		if (!client_is_absent(err) || now_ms() >= deadline)
			return err;
		listen_for(m, RETRY_MS);
		if (!left && m->fd < 0)
			deadline = now_ms() + (another_works(m) ? GRACE_ANOTHER_MS : GRACE_MS);
	}
}

static int start_once(const char *path, struct messages *m, long deadline)
{
	int err;

	m->length = 0;
	m->text[0] = '\0';
	m->fd = launch(path);
	if (m->fd < 0) {
		err = m->fd;
		complain("%s: %s", path, strerror(-err));
		return client_is_absent(err) ? -EIO : err;
	}
	err = await(m, deadline);
	if (m->fd >= 0)
		close(m->fd);
	return err;
}

/* Waits until it, or another one that came first, expects us. 0, or -errno having complained. */
static int start_helper(void)
{
	long deadline = now_ms() + DEADLINE_MS;
	char path[PATH_MAX];
	struct messages m;
	int err = place_helper(path);

	if (err) {
		if (place_has_proc())
			complain("%s: %s: it is not installed there, nor is there a sklhelper beside skl",
				 path, strerror(-err));
		else
			complain(PLACE_NO_PROC ": " PLACE_MEND_PROC);
		return err;
	}
	for (int i = 0; i < STARTS || another_works(&m); i++) {
		err = start_once(path, &m, deadline);
		if (!client_is_absent(err) || now_ms() >= deadline)
			break;
	}
	if (client_is_absent(err)) {
		tell(&m);
		complain("%s: the helper that was started does not answer there", client_helper());
	}
	return err;
}

int start_find(bool others_start)
{
	int err = client_make_absolute();

	if (!err)
		err = expect_us();
	if (!client_is_absent(err))
		return err;
	if (others_start)
		return 0;
	if (may_start())
		return start_helper();
	client_complain(err);
	return err;
}
