// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/netns.h"

#include <bpf/libbpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/datapath/tc.h"
#include "helper/fdpass.h"

#ifndef NETLINK_SOCK_DIAG
#define NETLINK_SOCK_DIAG 4
#endif

enum order { LOOK = 1, FIND = 2, ATTACH = 3, DETACH = 4 };

struct order_message {
	uint64_t ino; /* FIND */
	uint32_t order;
	uint32_t reserved;
};

struct answer_message {
	int32_t error; /* 0 or -errno */
	uint32_t first_free_port;
	uint16_t first_local_port, last_local_port;
};

/* This side's end of the socketpair; one order at a time. */
static int broker = -1;

/* Reads up to two numbers from a file of /proc/sys/net: those of the namespace that this process is in. */
static int read_sysctl(const char *path, uint32_t *first, uint32_t *second)
{
	char text[32] = {0}, *end;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	*first = (uint32_t)strtoul(text, &end, 10);
	if (second)
		*second = (uint32_t)strtoul(end, NULL, 10);
	return 0;
}

/* Returns the diag socket or -errno. */
static int look(struct answer_message *answer)
{
	uint32_t first = 0, last = 0;
	int err =
		read_sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start", &answer->first_free_port, NULL);
	int diag;

	if (!err)
		err = read_sysctl("/proc/sys/net/ipv4/ip_local_port_range", &first, &last);
	if (err)
		return err;
	answer->first_local_port = (uint16_t)first;
	answer->last_local_port = (uint16_t)last;
	diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	return diag < 0 ? -errno : diag;
}

/* Does in the namespace what was ordered. Returns a descriptor for the answer, or -1. */
static int work(const struct order_message *order, int netns, int program, int home,
		struct answer_message *answer)
{
	struct stat st;
	int fd = -1;

	if (fstat(netns, &st) < 0 || setns(netns, CLONE_NEWNET) < 0) {
		answer->error = -errno;
		return -1;
	}
	if (order->order == LOOK) {
		fd = look(answer);
		answer->error = fd < 0 ? fd : 0;
	} else if (order->order == ATTACH) {
		answer->error = tc_attach_all(st.st_ino, program);
	} else {
		answer->error = tc_detach_all(st.st_ino);
	}
	/* A broker that is lost in a stranger's namespace must not answer another time. */
	if (setns(home, CLONE_NEWNET) < 0)
		_exit(1);
	return fd;
}

static int find(uint64_t ino)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int found = -ENOENT;

	if (!proc)
		return -errno;
	while (found < 0 && (entry = readdir(proc))) {
		char path[64];
		struct stat st;

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/%.20s/ns/net", entry->d_name);
		if (stat(path, &st) < 0 || st.st_ino != ino)
			continue;
		found = open(path, O_RDONLY | O_CLOEXEC);
		/* the process may have become another since */
		if (found >= 0 && (fstat(found, &st) < 0 || st.st_ino != ino)) {
			close(found);
			found = -ENOENT;
		}
	}
	closedir(proc);
	return found;
}

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static void serve(int sock)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0)
		_exit(1);
	libbpf_set_print(NULL); /* it would speak of every interface without a clsact qdisc as an error */
	for (;;) {
		struct answer_message answer = {0};
		struct iovec part = {&answer, sizeof(answer)};
		struct order_message order, second;
		int netns, program = -1, fd;

		if (fdpass_receive(sock, &order, sizeof(order), &netns) != sizeof(order))
			_exit(0); /* the helper is gone */
		/* a message carries one descriptor, so the program comes in one of its own */
		if (order.order == ATTACH &&
		    fdpass_receive(sock, &second, sizeof(second), &program) != sizeof(second))
			_exit(0);
		if (order.order == FIND) {
			fd = find(order.ino);
			answer.error = fd < 0 ? fd : 0;
		} else {
			fd = work(&order, netns, program, home, &answer);
		}
		if (fdpass_send(sock, &part, 1, fd >= 0 ? fd : -1) < 0)
			_exit(0);
		close_all((int[]){fd, netns, program}, 3);
	}
}

int netns_start_broker(void)
{
	pid_t helper = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid = fork();
	if (pid < 0) {
		int err = errno;

		close(pair[0]);
		close(pair[1]);
		return -err;
	}
	if (pid == 0) {
		close(pair[0]);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "sklhelper-netns");
		if (getppid() != helper)
			_exit(0);
		/* the signals that end the helper end this with it, not before it */
		signal(SIGINT, SIG_IGN);
		signal(SIGTERM, SIG_IGN);
		serve(pair[1]);
	}
	close(pair[1]);
	broker = pair[0];
	return 0;
}

int netns_broker_fd(void)
{
	return broker;
}

/* *out becomes the descriptor that came with the answer, or -1. */
static int ask(const struct order_message *order, int fd, struct answer_message *answer, int *out)
{
	struct iovec part = {(void *)order, sizeof(*order)};
	int got_fd, err;
	ssize_t got;

	err = fdpass_send(broker, &part, 1, fd);
	if (err)
		return err;
	got = fdpass_receive(broker, answer, sizeof(*answer), &got_fd);
	if (got < 0)
		return (int)got;
	if (got != sizeof(*answer))
		err = -EPIPE;
	else if (answer->error)
		err = answer->error;
	if (err && got_fd >= 0)
		close(got_fd);
	if (err)
		return err;
	*out = got_fd;
	return 0;
}

/* For those orders whose answer is a descriptor. */
static int ask_for_fd(const struct order_message *order, int fd, struct answer_message *answer)
{
	int got, err = ask(order, fd, answer, &got);

	if (err)
		return err;
	return got < 0 ? -EPROTO : got;
}

int netns_look(int netns, struct netns_view *out)
{
	struct order_message order = {.order = LOOK};
	struct answer_message answer = {0};
	int fd = ask_for_fd(&order, netns, &answer);

	if (fd < 0)
		return fd;
	out->diag = fd;
	out->first_free_port = answer.first_free_port;
	out->first_local_port = answer.first_local_port;
	out->last_local_port = answer.last_local_port;
	return 0;
}

int netns_find(uint64_t ino)
{
	struct order_message order = {.order = FIND, .ino = ino};
	struct answer_message answer = {0};

	return ask_for_fd(&order, -1, &answer);
}

int netns_attach_reply(int netns, int program)
{
	struct order_message order = {.order = program < 0 ? DETACH : ATTACH};
	struct iovec part = {&order, sizeof(order)};
	struct answer_message answer = {0};
	int none, err;

	if (program < 0)
		return ask(&order, netns, &answer, &none);
	err = fdpass_send(broker, &part, 1, netns);
	return err ? err : ask(&order, program, &answer, &none);
}
