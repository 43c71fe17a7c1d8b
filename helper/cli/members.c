// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/members.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/cli/address.h"
#include "helper/cli/client.h"
#include "helper/cli/report.h"
#include "helper/cli/skl.h"
#include "helper/cli/text.h"
#include "helper/parent.h"

/* haproxy sees that the socket which it has bound listens already, and does without listen(). */
#define SILENT_MS 1000

static const struct report_share *find_share(const struct report *report, const char *name)
{
	struct stat own;

	if (stat("/proc/self/ns/net", &own) < 0)
		return NULL;
	for (size_t i = 0; i < report->n_shares; i++) {
		const struct report_share *s = &report->shares[i];

		if (s->record.uid == geteuid() && s->record.netns == own.st_ino &&
		    strcmp(s->record.name, name) == 0)
			return s;
	}
	return NULL;
}

static void list_sockets(const struct report_share *s, struct members *out)
{
	size_t used = 0;

	for (size_t i = 0; i < s->n_sockets && used < sizeof(out->sockets); i++) {
		const struct skl_record_share_socket *r = &s->sockets[i];
		struct address a = {.family = r->family, .port = r->port, .v6only = r->v6only};
		char where[ADDRESS_TEXT];

		memcpy(a.bytes, r->address, sizeof(a.bytes));
		address_format(&a, where);
		used += (size_t)snprintf(out->sockets + used, sizeof(out->sockets) - used, "%s%s %s",
					 i ? ", " : "", r->protocol == IPPROTO_TCP ? "tcp" : "udp", where);
	}
	out->n_sockets = s->n_sockets;
}

/* Those of which a pidfd can be had: others have just ended. */
static int list_members(const struct report_share *s, struct members *out)
{
	out->all = calloc(s->n_members + 1, sizeof(*out->all));
	if (!out->all)
		return -ENOMEM;
	for (size_t i = 0; i < s->n_members; i++) {
		const struct skl_record_share_member *r = &s->members[i];
		struct members_one *one = &out->all[out->n];
		int pidfd = (int)syscall(SYS_pidfd_open, r->pid, 0);

		if (pidfd < 0)
			continue;
		*one = (struct members_one){.pid = r->pid, .pidfd = pidfd, .holds = r->holds};
		one->listens = r->joined || (r->holds && r->age_ms >= SILENT_MS);
		memcpy(one->program, r->program, sizeof(one->program));
		text_make_printable(
			one->program); /* it goes to a terminal, and may be of who has fewer rights */
		out->n++;
	}
	return 0;
}

/* What stands in the second list, and not in the first, was another process under that number. */
static void keep_common(struct members *m, const struct report_share *later)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->n; i++) {
		bool found = false;

		for (size_t j = 0; j < later->n_members; j++)
			found |= later->members[j].pid == m->all[i].pid;
		if (found)
			m->all[kept++] = m->all[i];
		else
			close(m->all[i].pidfd);
	}
	m->n = kept;
}

static int read_from(const struct report *report, const char *name, struct members *out)
{
	const struct report_share *s = find_share(report, name);

	if (!s)
		return -ENOENT;
	if (s->record.asker != getpid()) {
		complain(
			"%s: the helper numbers processes otherwise than they are here: it is in another PID "
			"namespace",
			client_helper());
		return -EXDEV;
	}
	list_sockets(s, out);
	return list_members(s, out);
}

int members_read(const char *name, struct members *out)
{
	struct report report, later;
	const struct report_share *s;
	int err = report_fetch(&report);

	*out = (struct members){0};
	if (err)
		return err;
	err = read_from(&report, name, out);
	report_free(&report);
	if (err)
		return err;
	/* a number may have gone to another process before it was opened: who is still a member is the one */
	err = report_fetch(&later);
	if (!err) {
		s = find_share(&later, name);
		if (s)
			keep_common(out, s);
		else
			err = -ENOENT;
		report_free(&later);
	}
	if (err)
		members_free(out);
	return err;
}

void members_free(struct members *m)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->all[i].pidfd >= 0)
			close(m->all[i].pidfd);
	}
	free(m->all);
	*m = (struct members){0};
}

struct members_one *members_find(const struct members *m, pid_t pid)
{
	for (size_t i = 0; i < m->n; i++) {
		if (m->all[i].pid == pid)
			return &m->all[i];
	}
	return NULL;
}

bool members_descends(pid_t pid, pid_t ancestor)
{
	while (pid > 1) {
		pid = parent_of(pid);
		if (pid == ancestor)
			return true;
	}
	return false;
}

bool members_is_root(const struct members *m, const struct members_one *one)
{
	for (size_t i = 0; i < m->n; i++) {
		if (&m->all[i] != one && members_descends(one->pid, m->all[i].pid))
			return false;
	}
	return true;
}

size_t members_left(struct members *m)
{
	size_t left = 0;

	for (size_t i = 0; i < m->n; i++) {
		struct pollfd p = {.fd = m->all[i].pidfd, .events = POLLIN};

		if (p.fd >= 0 && poll(&p, 1, 0) != 0) {
			close(p.fd);
			m->all[i].pidfd = -1;
		}
		left += m->all[i].pidfd >= 0;
	}
	return left;
}
