// SPDX-License-Identifier: BSD-2-Clause
/* Of skl doctor: which sk_lookup programs has this network namespace? The last one that selects a socket
 * wins. */
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/cli/checks.h"

#define PROGRAMS_MAX 64 /* the kernel's own limit */
#define OURS	     "skl_dispatch"

static int bpf(int command, union bpf_attr *attr)
{
	long result = syscall(SYS_bpf, command, attr, sizeof(*attr));

	return result < 0 ? -errno : (int)result;
}

/* Their ids in the order in which they run. Returns how many there are, or -errno. */
static int query(uint32_t ids[PROGRAMS_MAX])
{
	int netns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), err;
	union bpf_attr attr;

	if (netns < 0)
		return -errno;
	memset(&attr, 0, sizeof(attr));
	attr.query.target_fd = (uint32_t)netns;
	attr.query.attach_type = BPF_SK_LOOKUP;
	attr.query.prog_ids = (uint64_t)(uintptr_t)ids;
	attr.query.prog_cnt = PROGRAMS_MAX;
	err = bpf(BPF_PROG_QUERY, &attr);
	close(netns);
	return err < 0 ? err : (int)attr.query.prog_cnt;
}

/* False where it is not to be learnt, or has none. */
static bool read_name(uint32_t id, char name[BPF_OBJ_NAME_LEN])
{
	struct bpf_prog_info info = {0};
	union bpf_attr attr;
	int fd, err;

	name[0] = '\0';
	memset(&attr, 0, sizeof(attr));
	attr.prog_id = id;
	fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return false;
	memset(&attr, 0, sizeof(attr));
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof(info);
	attr.info.info = (uint64_t)(uintptr_t)&info;
	err = bpf(BPF_OBJ_GET_INFO_BY_FD, &attr);
	close(fd);
	if (err < 0)
		return false;
	memcpy(name, info.name, BPF_OBJ_NAME_LEN);
	name[BPF_OBJ_NAME_LEN - 1] = '\0';
	return name[0] != '\0';
}

static void look_at_each(struct checks *c, const uint32_t *ids, int n)
{
	char name[BPF_OBJ_NAME_LEN];
	bool any = false;
	int ours = 0;

	for (int i = 0; i < n; i++) {
		bool named = read_name(ids[i], name);

		if (named && strcmp(name, OURS) == 0) {
			ours++;
			continue;
		}
		any = true;
		check_found(c, "sk_lookup", CHECK_PROBLEM,
			    "bpftool link list shows whose it is; who attached it can take it away",
			    "program %u (%s) of somebody else is attached to this network namespace, %s",
			    ids[i], named ? name : "without a name",
			    ours ? "after skl's: it can take what skl's listeners get"
				 : "before: what it selects, skl counts as errors (EEXIST)");
	}
	if (ours > 1)
		check_found(c, "sk_lookup", CHECK_PROBLEM,
			    "stop one of the helpers and call sklhelper --purge for its --bpffs",
			    "%d helpers cover ports of this network namespace, and do not know of each other",
			    ours);
	else if (!any)
		check_found(c, "sk_lookup", CHECK_OK, NULL,
			    "no program of somebody else is attached to this network namespace");
}

void check_others(struct checks *c)
{
	uint32_t ids[PROGRAMS_MAX] = {0};
	int n = query(ids);

	if (n == -EPERM || n == -EACCES)
		check_found(c, "sk_lookup", CHECK_UNKNOWN, "run skl doctor as root",
			    "only root sees which programs are attached to this network namespace");
	else if (n < 0)
		check_found(c, "sk_lookup", CHECK_PROBLEM, "boot Linux 5.10 or later", "%s", strerror(-n));
	else
		look_at_each(c, ids, n);
}
