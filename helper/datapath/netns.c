// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/netns.h"

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

#include "helper/fdpass.h"

#ifndef NETLINK_SOCK_DIAG
#define NETLINK_SOCK_DIAG 4
#endif

enum order { LOOK = 1, FIND = 2 };

struct order_message {
	uint64_t ino; /* FIND */
	uint32_t order;
	uint32_t reserved;
};

struct answer_message {
	int32_t error; /* 0 or -errno */
	uint32_t first_free_port;
};

/* This side's end of the socketpair; one order at a time. */
static int broker = -1;

static int read_first_free_port(uint32_t *out)
{
	char text[16] = {0};
	int fd = open("/proc/sys/net/ipv4/ip_unprivileged_port_start", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	*out = (uint32_t)strtoul(text, NULL, 10);
	return 0;
}

/* Returns the diag socket or -errno. */
static int look(int netns, int home, struct answer_message *answer)
{
	int diag = -1, err;

	if (setns(netns, CLONE_NEWNET) < 0)
		return -errno;
	err = read_first_free_port(&answer->first_free_port);
	if (!err) {
		diag = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
		err = diag < 0 ? -errno : 0;
	}
	/* A broker that is lost in a stranger's namespace must not answer another time. */
	if (setns(home, CLONE_NEWNET) < 0)
		_exit(1);
	return err ? err : diag;
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

static void serve(int sock)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (home < 0)
		_exit(1);
	for (;;) {
		struct answer_message answer = {0};
		struct iovec part = {&answer, sizeof(answer)};
		struct order_message order;
		int netns, fd = -EINVAL;

		if (fdpass_receive(sock, &order, sizeof(order), &netns) != sizeof(order))
			_exit(0); /* the helper is gone */
		if (order.order == LOOK && netns >= 0)
			fd = look(netns, home, &answer);
		else if (order.order == FIND)
			fd = find(order.ino);
		answer.error = fd < 0 ? fd : 0;
		if (fdpass_send(sock, &part, 1, fd) < 0)
			_exit(0);
		if (fd >= 0)
			close(fd);
		if (netns >= 0)
			close(netns);
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

static int ask(const struct order_message *order, int fd, struct answer_message *answer)
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
	else if (got_fd < 0)
		err = -EPROTO;
	if (err && got_fd >= 0)
		close(got_fd);
	return err ? err : got_fd;
}

int netns_look(int netns, struct netns_view *out)
{
	struct order_message order = {.order = LOOK};
	struct answer_message answer = {0};
	int fd = ask(&order, netns, &answer);

	if (fd < 0)
		return fd;
	out->diag = fd;
	out->first_free_port = answer.first_free_port;
	return 0;
}

int netns_find(uint64_t ino)
{
	struct order_message order = {.order = FIND, .ino = ino};
	struct answer_message answer = {0};

	return ask(&order, -1, &answer);
}
