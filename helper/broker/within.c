// SPDX-License-Identifier: BSD-2-Clause
/* What is done inside another network namespace, and how one is found. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/nsfs.h>
#include <linux/sock_diag.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/broker/parts.h"
#include "helper/budget.h"
#include "helper/datapath/tc.h"

#ifndef NETLINK_SOCK_DIAG
#define NETLINK_SOCK_DIAG 4
#endif

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
static int look(struct broker_answer *answer)
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

static int work_on_routes(const struct broker_request *request, struct broker_answer *answer)
{
	const struct prefix *p = &request->prefix;
	int n;

	if (request->order == BROKER_ROUTE_LIST || request->order == BROKER_ROUTE_CROWDED) {
		n = request->order == BROKER_ROUTE_LIST
			    ? routes_list(answer->prefixes, BROKER_PREFIXES, request->number)
			    : routes_crowded(answer->prefixes, BROKER_PREFIXES);
		answer->n_prefixes = n < 0 ? 0 : (uint32_t)n;
		return n < 0 ? n : 0;
	}
	/* not even by mistake is everything made local */
	if (p->length == 0 || p->length > (p->family == AF_INET ? 32 : p->family == AF_INET6 ? 128 : 0))
		return -EINVAL;
	switch (request->order) {
	case BROKER_ROUTE_LOOK:
		return routes_look(p, &answer->route);
	case BROKER_ROUTE_ADD:
		return routes_add(p);
	default:
		return routes_delete(p);
	}
}

/* So long at most in a namespace that is not the administrator's, ms: nobody else waits for what is in it. */
#define STRANGERS_MS 40

/* Who has a user namespace of his own makes network namespaces that belong to it. */
static bool is_strangers(int netns)
{
	struct stat own, owner;
	int fd = ioctl(netns, NS_GET_USERNS);
	bool yes = fd < 0 || fstat(fd, &owner) < 0 || stat("/proc/self/ns/user", &own) < 0 ||
		   owner.st_ino != own.st_ino;

	if (fd >= 0)
		close(fd);
	return yes;
}

int broker_work_in(const struct broker_request *request, int netns, int second, struct broker_answer *answer)
{
	static int home = -1;
	struct stat st;
	int fd = -1;

	if (home < 0)
		home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (home < 0 || fstat(netns, &st) < 0 || setns(netns, CLONE_NEWNET) < 0) {
		answer->error = -errno;
		return -1;
	}
	budget_begin(is_strangers(netns) ? STRANGERS_MS : 0);
	switch (request->order) {
	case BROKER_LOOK:
		fd = look(answer);
		answer->error = fd < 0 ? fd : 0;
		break;
	case BROKER_ATTACH:
		answer->error = tc_attach_all(st.st_ino, second);
		break;
	case BROKER_DETACH:
		answer->error = tc_detach_all(st.st_ino);
		break;
	case BROKER_ROUTE_LOOK:
	case BROKER_ROUTE_ADD:
	case BROKER_ROUTE_DELETE:
	case BROKER_ROUTE_LIST:
	case BROKER_ROUTE_CROWDED:
		answer->error = work_on_routes(request, answer);
		break;
	default:
		answer->error = -EINVAL;
	}
	budget_begin(0);
	/* A broker that is lost in a stranger's namespace must not answer another time. */
	if (setns(home, CLONE_NEWNET) < 0)
		_exit(1);
	return fd;
}

int broker_find_netns(uint64_t ino)
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
