// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/call.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>

#include "helper/cli/target.h"

/* socketcall(2) of 32-bit programs, from linux/net.h */
#define CALL_BIND 2

static bool is_32bit(const struct seccomp_notif *request)
{
	return request->data.arch != seccomp_arch_native();
}

/* The kernel says of other lengths what is wrong with them. */
static void read_address(struct call *c, uint64_t from)
{
	c->has_address = c->length >= sizeof(struct sockaddr_in) && c->length <= sizeof(c->address) &&
			 target_read(c->thread, from, &c->address, c->length) == 0;
}

int call_read(struct call *c, int notify, const struct seccomp_notif *request)
{
	const struct seccomp_data *d = &request->data;
	uint64_t args[3] = {d->args[0], d->args[1], d->args[2]};
	char *name = seccomp_syscall_resolve_num_arch(d->arch, d->nr);
	int err = 0;

	if (!name)
		return -EFAULT;
	*c = (struct call){.notify = notify, .id = request->id, .pidfd = -1, .thread = (pid_t)request->pid};
	if (strcmp(name, "socketcall") == 0) {
		uint32_t words[3] = {0};

		c->is_bind = args[0] == CALL_BIND;
		err = target_read(c->thread, args[1], words, (c->is_bind ? 3 : 2) * sizeof(words[0]));
		for (int i = 0; i < 3; i++)
			args[i] = words[i];
	} else {
		c->is_bind = strcmp(name, "bind") == 0;
	}
	free(name);
	c->fd = (int)args[0];
	c->backlog = (int)args[1];
	c->length = (uint32_t)args[2];
	if (!err && c->is_bind)
		read_address(c, is_32bit(request) ? (uint32_t)args[1] : args[1]);
	c->process = target_process(c->thread);
	return c->process < 0 ? c->process : err;
}

bool call_is_there(const struct call *c)
{
	return seccomp_notify_id_valid(c->notify, c->id) == 0;
}
