// SPDX-License-Identifier: BSD-2-Clause
/* What the helper's processes cannot do once they have given up: each call in a process of its own. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "helper/isolate.h"

#define KILLED 1000 /* by SIGSYS */
#define FILE   "/etc/passwd"

typedef long attempt(void);

/* 0 when the attempt succeeds, its errno, or KILLED. */
static int try(enum isolate_part part, attempt *what)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		if (isolate_calls(part) < 0)
			_exit(255);
		errno = 0;
		_exit(what() < 0 ? errno : 0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED : -WTERMSIG(status);
	assert_int_not_equal(WEXITSTATUS(status), 255);
	return WEXITSTATUS(status);
}

static long open_file(void)
{
	return open(FILE, O_RDONLY);
}

static long open_path(void)
{
	return open("/etc", O_PATH | O_DIRECTORY);
}

static long open_new(void)
{
	return open("/tmp", O_TMPFILE | O_WRONLY, 0600);
}

static long open_plain(void)
{
#ifdef SYS_open
	return syscall(SYS_open, FILE, O_RDONLY);
#else
	return open_file();
#endif
}

static long open_how(void)
{
	struct open_how how = {.flags = O_RDONLY};

	return syscall(SYS_openat2, AT_FDCWD, FILE, &how, sizeof(how));
}

static long create(void)
{
	return creat("/tmp/skl-filter-test", 0600);
}

static long list(void)
{
	return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static long look(void)
{
	struct stat st;

	return stat(FILE, &st);
}

static long execute(void)
{
	char *const argv[] = {"true", NULL};

	return execve("/bin/true", argv, argv + 1);
}

static long trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static long mount_it(void)
{
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static long enter(void)
{
	return setns(0, CLONE_NEWNET);
}

static long enter_any(void)
{
	return setns(0, 0);
}

static long unshare_it(void)
{
	return unshare(CLONE_NEWUSER);
}

static long steal(void)
{
	return syscall(SYS_pidfd_getfd, 0, 0, 0);
}

static long ring(void)
{
	return syscall(SYS_io_uring_setup, 1, NULL);
}

static long become(void)
{
	return syscall(SYS_setresuid, 0, 0, 0);
}

static long inet(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long unix_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static long netlink(void)
{
	return socket(AF_NETLINK, SOCK_RAW, 0);
}

static long connect_it(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	return connect(0, (struct sockaddr *)&address, sizeof(address));
}

static long fork_it(void)
{
	return fork();
}

static long namespaced_thread(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
}

static long clone_unseen(void)
{
	return syscall(SYS_clone3, NULL, 0);
}

static long make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1
													 : 0;
}

static long terminal(void)
{
	return ioctl(0, TIOCSTI, "x");
}

static long kill_others(void)
{
	return kill(getppid(), 0);
}

static long bpf_call(int command)
{
	union bpf_attr attr = {0};

	return syscall(SYS_bpf, command, &attr, sizeof(attr));
}

static long bpf_load(void)
{
	return bpf_call(BPF_PROG_LOAD);
}

static long bpf_map(void)
{
	return bpf_call(BPF_MAP_CREATE);
}

static long bpf_by_id(void)
{
	return bpf_call(BPF_PROG_GET_FD_BY_ID);
}

static void *nothing(void *argument)
{
	return argument;
}

/* What it lives of. */
static long work(void)
{
	static char *const text = "";
	pthread_t thread;
	int fd = memfd_create("work", MFD_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || fcntl(fd, F_DUPFD_CLOEXEC, 0) < 0 || write(fd, text, 0) < 0)
		return -1;
	if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
		return -1;
	for (size_t size = 1; size < 1 << 22; size *= 2) {
		char *memory = malloc(size);

		if (!memory)
			return -1;
		memset(memory, 1, size);
		free(memory);
	}
	return close(fd);
}

/* The kernel was asked, whatever it said to a process without rights. */
static void assert_asked(enum isolate_part part, attempt *what)
{
	int answer = try(part, what);

	assert_int_not_equal(answer, KILLED);
	assert_int_not_equal(answer, EPERM);
}

static void needs_the_filter(void)
{
	if (ISOLATE_INSTRUMENTED)
		skip();
}

static void main_opens_nothing(void **state)
{
	attempt *const attempts[] = {open_file, open_path, open_new, open_plain, open_how, create, look};

	needs_the_filter();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		assert_int_equal(try(ISOLATE_MAIN, attempts[i]), EPERM);
	assert_int_equal(try(ISOLATE_MAIN, list), 0);
}

static void main_goes_nowhere(void **state)
{
	attempt *const attempts[] = {inet,	  unix_socket,	     netlink,	connect_it,
				     fork_it,	  namespaced_thread, make_code, terminal,
				     kill_others, bpf_load,	     bpf_map,	bpf_by_id};

	needs_the_filter();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		assert_int_equal(try(ISOLATE_MAIN, attempts[i]), EPERM);
	assert_int_equal(try(ISOLATE_MAIN, clone_unseen), ENOSYS);
}

static void intruders_end(void **state)
{
	attempt *const attempts[] = {execute, trace, mount_it, unshare_it, steal, ring, become};

	needs_the_filter();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		assert_int_equal(try(ISOLATE_MAIN, attempts[i]), KILLED);
		assert_int_equal(try(ISOLATE_BROKER, attempts[i]), KILLED);
	}
	assert_int_equal(try(ISOLATE_MAIN, enter), KILLED);
}

static void broker_goes_only_where_it_must(void **state)
{
	attempt *const attempts[] = {inet,     enter_any,   fork_it,  namespaced_thread,
				     terminal, kill_others, open_how, create};

	needs_the_filter();
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		assert_int_equal(try(ISOLATE_BROKER, attempts[i]), EPERM);
	assert_int_equal(try(ISOLATE_BROKER, netlink), 0);
	assert_int_equal(try(ISOLATE_BROKER, open_file), 0);
	assert_int_equal(try(ISOLATE_BROKER, look), 0);
	assert_asked(ISOLATE_BROKER, enter);
}

static void main_can_work(void **state)
{
	assert_int_equal(try(ISOLATE_MAIN, work), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(main_opens_nothing), cmocka_unit_test(main_goes_nowhere),
		cmocka_unit_test(intruders_end),      cmocka_unit_test(broker_goes_only_where_it_must),
		cmocka_unit_test(main_can_work),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
