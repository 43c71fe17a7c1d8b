// SPDX-License-Identifier: BSD-2-Clause
/* Of skl doctor: who helps, and by which rules? */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/cli/checks.h"
#include "helper/cli/client.h"
#include "helper/cli/permission.h"
#include "helper/cli/place.h"
#include "helper/rules/grants.h"

static const char *mend_of(int err)
{
	switch (err) {
	case -EACCES:
		return permission_mend();
	case -EPROTONOSUPPORT:
		return "start the sklhelper that came with this skl";
	case -ETIMEDOUT:
		return "see what it says in its log; a stopped process (SIGSTOP) does not answer";
	default:
		return "start sklhelper, or let `skl run` as root start one";
	}
}

/* A line of /proc/PID/status, or "". */
static void read_line(int pid, const char *name, char out[64])
{
	char path[64], line[256];
	FILE *f;

	out[0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, name, strlen(name)) != 0 || line[strlen(name)] != ':')
			continue;
		snprintf(out, 64, "%.60s", line + strlen(name) + strspn(line + strlen(name), ": \t"));
		out[strcspn(out, "\n")] = '\0';
	}
	if (f)
		fclose(f);
}

/* What it could do at worst: read back from the kernel. */
static void check_privilege(struct checks *c, int pid)
{
	char capabilities[64], filter[64], no_new[64];
	unsigned long long held;

	read_line(pid, "CapEff", capabilities);
	read_line(pid, "Seccomp", filter);
	read_line(pid, "NoNewPrivs", no_new);
	if (!*capabilities) {
		check_found(c, "privilege", CHECK_UNKNOWN, NULL,
			    "the helper's process is not visible from here");
		return;
	}
	held = strtoull(capabilities, NULL, 16);
	/* CAP_SYS_ADMIN is 21, CAP_SYS_PTRACE 19 */
	if ((held >> 21 & 1) || (held >> 19 & 1) || strcmp(filter, "2") != 0 || strcmp(no_new, "1") != 0)
		check_found(c, "privilege", CHECK_PROBLEM, "start the sklhelper that came with this skl",
			    "the part that hears clients has capabilities %s, seccomp %s, no_new_privs %s",
			    capabilities, filter, no_new);
	else
		check_found(c, "privilege", CHECK_OK, NULL,
			    "the part that hears clients has capabilities %s, a seccomp filter, and cannot "
			    "gain more",
			    capabilities);
}

void check_helper(struct checks *c)
{
	struct client_answer answer;
	int err = client_ask(SKL_STATUS, 0, NULL, 0, -1, &answer);

	if (!err && answer.error)
		err = -answer.error;
	if (!err)
		err = report_read(answer.fd, &c->report);
	if (answer.fd >= 0)
		close(answer.fd);
	if (err) {
		check_found(c, "helper", CHECK_PROBLEM, mend_of(err), "%s: %s%s", client_helper(),
			    strerror(-err), client_left(err));
		return;
	}
	if (strcmp(c->report.helper.version, SKL_VERSION) != 0)
		check_found(c, "helper", CHECK_PROBLEM, "start the sklhelper that came with this skl",
			    "%s answers, pid %d, but is version %s and this is " SKL_VERSION, client_helper(),
			    c->report.helper.pid, c->report.helper.version);
	else
		check_found(c, "helper", CHECK_OK, NULL,
			    "%s answers, pid %d, version %s, %zu listener%s to be seen", client_helper(),
			    c->report.helper.pid, c->report.helper.version, c->report.n_listeners,
			    c->report.n_listeners == 1 ? "" : "s");
	check_privilege(c, c->report.helper.pid);
}

void check_policy(struct checks *c)
{
	char helper[4096], out[2048], *last;
	int status;

	if (place_helper(helper) != 0)
		return; /* told before */
	if (access(POLICY_PATH, F_OK) < 0) {
		check_found(c, "policy", CHECK_OK, NULL,
			    POLICY_PATH " is not there: everybody may have what bind() would have given");
		return;
	}
	if (access(POLICY_PATH, R_OK) < 0) {
		check_found(c, "policy", CHECK_UNKNOWN, "run skl doctor as root", POLICY_PATH ": %s",
			    strerror(errno));
		return;
	}
	status = check_command((char *[]){helper, "--check-policy", NULL}, NULL, out, sizeof(out));
	if (status == 0) {
		check_found(c, "policy", CHECK_OK, NULL,
			    POLICY_PATH " can be read (sklhelper --check-policy)");
		return;
	}
	last = strrchr(out, '\n');
	if (last)
		*last = '\0';
	last = strrchr(out, '\n');
	check_found(c, "policy", CHECK_PROBLEM, "sklhelper --check-policy names every mistake", "%s",
		    last ? last + 1 : out);
}
