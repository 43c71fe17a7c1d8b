/* SPDX-License-Identifier: BSD-2-Clause */
/* What the server's epoll instance tells of: the source in an event's high half, an index in the low one. */
#ifndef SKL_SOURCE_H
#define SKL_SOURCE_H

#include <stddef.h>

enum source {
	FROM_LISTENER,
	FROM_SIGNALS,
	FROM_BROKER,
	FROM_SHARES,
	FROM_TRACING,
	FROM_CONNECTION,
	FROM_EXPECTED
};

/* Has epoll tell when the descriptor is readable; it stays the caller's. 0 or -errno. */
int source_watch(int epoll, int fd, enum source source, size_t index);

#endif
