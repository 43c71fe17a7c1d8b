// SPDX-License-Identifier: BSD-2-Clause
/*
 * late-page: a child drops its rights and calls bind(), with the address on a page that comes late
 * (userfaultfd). Its parent's own bind() is done meanwhile. Then it is killed, its number goes to a process
 * of root's, and then the page comes. Prints the port that the socket, which all of them share, is bound to.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096

/* What asks for the page is the child's memory: so it is the child that makes the descriptor. */
static void child(int up, int sock, void *page)
{
	int faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register all = {.range = {(uintptr_t)page, PAGE}, .mode = UFFDIO_REGISTER_MODE_MISSING};

	if (faults < 0 || ioctl(faults, UFFDIO_API, &api) < 0 || ioctl(faults, UFFDIO_REGISTER, &all) < 0 ||
	    write(up, &faults, sizeof(faults)) < 0 || setgroups(0, NULL) < 0 || setgid(65534) < 0 ||
	    setuid(65534) < 0)
		_exit(1);
	bind(sock, page, sizeof(struct sockaddr_in));
	_exit(0);
}

/* A process of that number. */
static pid_t take_number(pid_t number)
{
	struct clone_args args = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&number, .set_tid_size = 1};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0) {
		pause();
		_exit(0);
	}
	return pid;
}

int main(void)
{
	static char source[PAGE] __attribute__((aligned(PAGE)));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(5353)}, bound = {0};
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_copy copy = {.dst = (uintptr_t)page, .src = (uintptr_t)source, .len = PAGE};
	int sock = socket(AF_INET, SOCK_DGRAM, 0), up[2], faults;
	socklen_t length = sizeof(bound);
	struct uffd_msg fault;
	pid_t pid, other;

	if (pipe(up) < 0)
		return 1;
	pid = fork();
	if (pid == 0)
		child(up[1], sock, page);
	close(up[1]);
	if (read(up[0], &faults, sizeof(faults)) != sizeof(faults))
		return 1;
	faults = (int)syscall(SYS_pidfd_getfd, syscall(SYS_pidfd_open, pid, 0), faults, 0);
	if (read(faults, &fault, sizeof(fault)) != (ssize_t)sizeof(fault))
		return 1;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(socket(AF_INET, SOCK_DGRAM, 0), (struct sockaddr *)&address, sizeof(address)) < 0)
		return 4;
	address.sin_port = htons(53);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	other = take_number(pid);
	if (other != pid)
		return 2;
	memcpy(source, &address, sizeof(address));
	if (ioctl(faults, UFFDIO_COPY, &copy) < 0)
		return 3;
	usleep(500000);
	getsockname(sock, (struct sockaddr *)&bound, &length);
	printf("bound to port %d\n", ntohs(bound.sin_port));
	kill(other, SIGKILL);
	return 0;
}
