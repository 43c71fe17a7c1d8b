// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/judge.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/skl.h"
#include "helper/names.h"
#include "helper/policy_read.h"

#define GROUPS_MAX 65536 /* of one process: the kernel's NGROUPS_MAX */

static void complain_mistake(void *context, unsigned int line, bool mistake, const char *sentence)
{
	const struct judge *j = context;

	if (mistake && line)
		complain("%s:%u: %s", j->file, line, sentence);
	else if (mistake)
		complain("%s: %s", j->file, sentence);
}

static int load(struct judge *j)
{
	int fd = policy_open(j->file), n;

	if (fd == -ENOENT && strcmp(j->file, POLICY_PATH) == 0) {
		j->policy = policy_default();
		return j->policy ? 0 : -ENOMEM;
	}
	if (fd < 0) {
		complain("%s: %s", j->file, strerror(-fd));
		return fd;
	}
	n = policy_read(fd, j->file, &names_system, complain_mistake, j, &j->policy);
	close(fd);
	return n ? -EINVAL : 0;
}

/* All groups that a login would give him. */
static int add_groups(struct judge *j, const char *name)
{
	int n = GROUPS_MAX;
	gid_t *groups = calloc(GROUPS_MAX, sizeof(*groups));

	if (!groups)
		return -ENOMEM;
	if (getgrouplist(name, j->who.gid, groups, &n) < 0)
		n = GROUPS_MAX;
	j->who.groups = groups;
	j->who.n_groups = (size_t)n;
	return 0;
}

static int find_claimant(struct judge *j)
{
	const struct passwd *found = getpwnam(j->user);
	unsigned long uid = UINT32_MAX;
	char *end;

	if (!found && *j->user >= '0' && *j->user <= '9') {
		uid = strtoul(j->user, &end, 10);
		if (*end || uid >= UINT32_MAX)
			uid = UINT32_MAX;
		else
			found = getpwuid((uid_t)uid);
	}
	if (found) {
		j->who.uid = found->pw_uid;
		j->who.gid = found->pw_gid;
		return add_groups(j, found->pw_name);
	}
	if (uid == UINT32_MAX) {
		complain("doctor: there is no user \"%s\"", j->user);
		return -ENOENT;
	}
	/* a number without a name has no group that is known */
	j->who.uid = (uint32_t)uid;
	j->who.gid = UINT32_MAX;
	return 0;
}

/* One or two numbers, from a file of /proc/sys/net: those of this network namespace. */
static void read_sysctl(const char *path, unsigned int *first, unsigned int *second)
{
	FILE *file = fopen(path, "re");
	char line[64];

	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		char *rest;

		*first = (unsigned int)strtoul(line, &rest, 10);
		*second = (unsigned int)strtoul(rest, NULL, 10);
	}
	fclose(file);
}

int judge_open(struct judge *j, const char *user, const char *file)
{
	unsigned int first_free = 1024, local[2] = {32768, 60999}, none;
	int err;

	*j = (struct judge){.user = user, .file = file};
	err = find_claimant(j);
	if (!err)
		err = load(j);
	if (err) {
		judge_close(j);
		return err;
	}
	read_sysctl("/proc/sys/net/ipv4/ip_unprivileged_port_start", &first_free, &none);
	read_sysctl("/proc/sys/net/ipv4/ip_local_port_range", &local[0], &local[1]);
	j->who.may_bind_low = j->who.uid == 0;
	j->who.first_free_port = first_free;
	j->who.first_local_port = (uint16_t)local[0];
	j->who.last_local_port = (uint16_t)local[1];
	j->who.policy = j->policy;
	return 0;
}

void judge_close(struct judge *j)
{
	free((void *)j->who.groups);
	policy_free(j->policy);
}
