// SPDX-License-Identifier: BSD-2-Clause
/* The reply program on the interfaces of a namespace, as long as it has UDP listeners. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "helper/datapath/netns.h"
#include "helper/log.h"
#include "helper/space.h"
#include "helper/space_parts.h"

#define REST_NS 3000000000u /* where there are more interfaces than can be looked at in one go */

bool space_has_udp(const struct space *s)
{
	for (size_t i = 0; i < s->table.n_listeners; i++) {
		if (s->table.listeners[i]->protocol == IPPROTO_UDP)
			return true;
	}
	return false;
}

void space_stop_replies(struct space *s)
{
	int err;

	if (s->netns < 0)
		return;
	err = netns_attach_reply(s->netns, -1);
	if (err)
		log_warn("namespace %llu: the reply program cannot be taken away: %s",
			 (unsigned long long)s->netns_ino, strerror(-err));
	datapath_stop_replies(s->datapath);
	close(s->netns);
	s->netns = -1;
}

int space_start_replies(struct space *s, int netns)
{
	int program = datapath_start_replies(s->datapath), err;

	if (program < 0)
		return program;
	if (s->netns < 0) {
		s->netns = fcntl(netns, F_DUPFD_CLOEXEC, 0);
		if (s->netns < 0)
			return -errno;
	}
	err = netns_attach_reply(netns, program);
	if (err && !space_has_udp(s))
		space_stop_replies(s);
	return err;
}

void space_watch_replies(struct space *s)
{
	uint64_t start = boottime_ns();
	bool said = s->watch_replies_at;
	int err;

	if (s->netns < 0)
		return;
	if (!space_has_udp(s)) {
		space_stop_replies(s);
		return;
	}
	if (start < s->watch_replies_at)
		return;
	err = space_start_replies(s, s->netns);
	s->watch_replies_at = err == -ETIME ? start + REST_NS : 0;
	if (err && !(said && err == -ETIME))
		log_warn("namespace %llu: UDP answers may leave with another address: %s",
			 (unsigned long long)s->netns_ino, strerror(-err));
}

int space_catch_up_replies(struct space *s, int netns)
{
	int program;

	if (!space_has_udp(s) && !datapath_has_replies(s->datapath)) {
		datapath_stop_replies(s->datapath); /* what there may be of them is not in use */
		return 0;
	}
	program = space_start_replies(s, netns);
	space_watch_replies(s);
	return program;
}
