// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/target.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "helper/cli/skl.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

#define STATUS_SIZE 8192

static bool read_status(pid_t thread, char out[STATUS_SIZE])
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/status", thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, out, STATUS_SIZE - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

pid_t target_process(pid_t thread)
{
	char status[STATUS_SIZE];
	const char *line = read_status(thread, status) ? strstr(status, "\nTgid:") : NULL;

	return line ? (pid_t)strtol(line + strlen("\nTgid:"), NULL, 10) : -ESRCH;
}

/* 0 where both have the same table of files, or -errno. */
static int compare_files(pid_t a, pid_t b)
{
	long order = a == b ? 0 : syscall(SYS_kcmp, a, b, KCMP_FILES, 0, 0);

	if (order < 0 && errno != ENOSYS)
		return -errno;
	return order == 0 ? 0 : -EOPNOTSUPP;
}

int target_open(pid_t thread, pid_t process)
{
	int pidfd = (int)syscall(SYS_pidfd_open, thread, PIDFD_THREAD), err;

	if (pidfd >= 0 || errno != EINVAL)
		return pidfd < 0 ? -errno : pidfd;
	err = compare_files(thread, process);
	if (err)
		return err;
	pidfd = (int)syscall(SYS_pidfd_open, process, 0);
	return pidfd < 0 ? -errno : pidfd;
}

int target_take(int pidfd, int fd)
{
	int copy = (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);

	return copy < 0 ? -errno : copy;
}

/* Of the Yama module: '0', also where it is not there; '1' lets only a process's ancestors look into it, '2'
 * only root, '3' nobody. */
static char yama_scope(void)
{
	int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	char scope = '0';

	if (fd < 0)
		return scope;
	if (read(fd, &scope, 1) != 1)
		scope = '0';
	close(fd);
	return scope;
}

const char *target_why(int err)
{
	switch (err) {
	case -EOPNOTSUPP:
		return "its thread has files of its own, which Linux 6.9 can show";
	case -EPERM:
		return yama_scope() != '0' ? "kernel.yama.ptrace_scope lets only root do it"
					   : "it is not dumpable, or has other rights than its supervisor";
	case -ESRCH:
		return "/proc does not show it, as when it is in another PID namespace";
	default:
		return strerror(-err);
	}
}

/* Has this user started it? */
static bool is_ours(pid_t process)
{
	char status[STATUS_SIZE];
	const char *line = read_status(process, status) ? strstr(status, "\nUid:") : NULL;

	return line && strtoul(line + strlen("\nUid:"), NULL, 10) == getuid();
}

void target_complain(pid_t process, int err)
{
	char scope = yama_scope();

	if (err != -EPERM && err != -EACCES)
		complain("attach: process %d: %s", process, strerror(-err));
	else if (scope != '0')
		complain("attach: process %d: %s: to take its socket you must be allowed to trace it, "
			 "and kernel.yama.ptrace_scope is %c here: be root%s",
			 process, strerror(-err), scope, scope == '3' ? " (3 forbids it even so)" : "");
	else if (is_ours(process))
		complain("attach: process %d: %s: to take its socket you must be allowed to trace it, "
			 "which only root is: it gained rights when it was started (setuid, setgid, file "
			 "capabilities), or is not dumpable: root has to use skl attach",
			 process, strerror(-err));
	else
		complain("attach: process %d: %s: to take its socket you must be allowed to trace it: "
			 "be root, or its user",
			 process, strerror(-err));
}

bool target_ends(int pidfd, int ms)
{
	struct pollfd end = {.fd = pidfd, .events = POLLIN};

	return poll(&end, 1, ms) > 0;
}

int target_read(pid_t thread, uint64_t address, void *to, size_t size)
{
	struct iovec local = {to, size}, remote = {(void *)(uintptr_t)address, size};

	ssize_t n = process_vm_readv(thread, &local, 1, &remote, 1, 0);

	if (n < 0)
		return -errno;
	return n == (ssize_t)size ? 0 : -EFAULT;
}

/* The same line in both? */
static bool same_line(const char *a, const char *b, const char *name)
{
	const char *x = strstr(a, name), *y = strstr(b, name);
	size_t length = x ? strcspn(x + 1, "\n") : 0;

	return x && y && strcspn(y + 1, "\n") == length && memcmp(x, y, length + 1) == 0;
}

bool target_equals_us(pid_t thread)
{
	static const char *const lines[] = {"\nUid:", "\nGid:", "\nGroups:", "\nCapEff:"};
	struct stat their_rights, our_rights;
	char theirs[STATUS_SIZE], ours[STATUS_SIZE];

	if (!read_status(thread, theirs) || !read_status(getpid(), ours))
		return false;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!same_line(theirs, ours, lines[i]))
			return false;
	}
	/* capabilities count in one user namespace */
	snprintf(theirs, sizeof(theirs), "/proc/%d/ns/user", thread);
	return stat(theirs, &their_rights) == 0 && stat("/proc/self/ns/user", &our_rights) == 0 &&
	       their_rights.st_ino == our_rights.st_ino;
}
