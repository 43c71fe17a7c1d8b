// SPDX-License-Identifier: BSD-2-Clause
#include "helper/server/source.h"

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>

int source_watch(int epoll, int fd, enum source source, size_t index)
{
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)source << 32 | index};

	return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0 ? -errno : 0;
}
