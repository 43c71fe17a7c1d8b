// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/filter.h"

#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "helper/cli/skl.h"

static bool read_number(const char *text, unsigned long long most, unsigned long long *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoull(text, &end, 10);
	return !errno && *end == '\0' && *value <= most;
}

static int add_user(struct filter *f, const char *name)
{
	const struct passwd *user = getpwnam(name);
	unsigned long long uid;

	f->has_uid = true;
	if (user)
		f->uid = user->pw_uid;
	else if (read_number(name, UINT32_MAX, &uid))
		f->uid = (uint32_t)uid;
	else
		return -EINVAL;
	return 0;
}

static int add_netns(struct filter *f, const char *value)
{
	unsigned long long ino;
	struct stat st;

	if (read_number(value, UINT64_MAX, &ino))
		f->netns = ino;
	else if (stat(value, &st) == 0)
		f->netns = st.st_ino;
	else
		return -EINVAL;
	return f->netns ? 0 : -EINVAL;
}

static int add(struct filter *f, int option, const char *value)
{
	unsigned long long number;

	switch (option) {
	case 'u':
		return add_user(f, value);
	case 'n':
		return add_netns(f, value);
	case 'P':
		if (!read_number(value, INT32_MAX, &number) || number == 0)
			return -EINVAL;
		f->pid = (pid_t)number;
		return 0;
	default:
		if (!read_number(value, UINT16_MAX, &number) || number == 0)
			return -EINVAL;
		f->port = (uint16_t)number;
		return 0;
	}
}

int filter_add(struct filter *f, int option, const char *value)
{
	static const struct {
		int option;
		const char *what;
	} kinds[] = {
		{'P', "not the number of a process: --pid 4711"},
		{'r', "not a port: --port 777"},
		{'u', "no such user: --user www-data"},
		{'n', "neither the inode number nor the path of a network namespace: --netns "
		      "/run/netns/blue"},
	};
	int err = add(f, option, value);

	for (size_t i = 0; err && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].option == option)
			complain("status: %s: %s", value, kinds[i].what);
	}
	return err;
}

static bool has_port(const struct report_listener *l, uint16_t port)
{
	if (l->record.port == port)
		return true;
	for (size_t i = 0; i < l->n_bindings; i++) {
		if (l->bindings[i].port_first <= port && port <= l->bindings[i].port_last)
			return true;
	}
	return false;
}

static bool passes(const struct filter *f, const struct report_listener *l)
{
	const struct skl_record_listener *r = &l->record;

	return (!f->pid || r->pid == f->pid) && (!f->netns || r->netns == f->netns) &&
	       (!f->has_uid || r->uid == f->uid) && (!f->port || has_port(l, f->port));
}

static bool share_passes(const struct filter *f, const struct report_share *s)
{
	bool has_pid = !f->pid, has_the_port = !f->port;

	for (size_t i = 0; i < s->n_members; i++)
		has_pid |= s->members[i].pid == f->pid;
	for (size_t i = 0; i < s->n_sockets; i++)
		has_the_port |= s->sockets[i].port == f->port;
	return has_pid && has_the_port && (!f->netns || s->record.netns == f->netns) &&
	       (!f->has_uid || s->record.uid == f->uid);
}

void filter_apply(const struct filter *f, struct report *report)
{
	size_t kept = 0;

	for (size_t i = 0; i < report->n_listeners; i++) {
		if (passes(f, &report->listeners[i]))
			report->listeners[kept++] = report->listeners[i];
	}
	report->n_listeners = kept;
	kept = 0;
	for (size_t i = 0; i < report->n_shares; i++) {
		if (share_passes(f, &report->shares[i]))
			report->shares[kept++] = report->shares[i];
	}
	report->n_shares = kept;
}
