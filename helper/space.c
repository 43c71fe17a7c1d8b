// SPDX-License-Identifier: BSD-2-Clause
#include "helper/space.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "helper/datapath/netns.h"
#include "helper/log.h"
#include "helper/space_parts.h"
#include "helper/space_routes.h"

#define WATCH_MS 500  /* "within a second" a wide binding has given way */
#define SWEEP_MS 1000 /* a listener that is gone is forgotten */

uint64_t boottime_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t boottime_ms(void)
{
	return boottime_ns() / 1000000;
}

int space_tend(struct space *s)
{
	space_sweep(s);
	if (s->unwritten)
		space_refresh_all(s);
	space_watch_holders(s);
	space_watch_replies(s);
	space_watch_routes(s);
	return space_has_wide(s) || s->netns >= 0 || s->routed >= 0 ? WATCH_MS : SWEEP_MS;
}

/* An earlier helper's bindings may be half written, and ports may have changed hands since. */
void space_catch_up(struct space *s)
{
	struct netns_view view;
	int netns = netns_find(s->netns_ino), err;

	s->blind = true;
	if (netns < 0) {
		log_warn("namespace %llu: no process is in it; until one asks, its coverage stays as it is",
			 (unsigned long long)s->netns_ino);
		return;
	}
	err = netns_look(netns, &view);
	if (!err) {
		err = space_look(s, view.diag, false, false);
		space_sweep(s);
		space_keep_diag(s, view.diag);
	}
	if (!err)
		err = space_catch_up_replies(s, netns);
	space_catch_up_routes(s, netns);
	close(netns);
	if (err)
		log_warn("namespace %llu: cannot be looked into: %s", (unsigned long long)s->netns_ino,
			 strerror(-err));
}

struct space *space_new(uint64_t netns_ino, uint32_t uid)
{
	struct space *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->netns_ino = netns_ino;
	s->uid = uid;
	s->diag = s->netns = s->routed = -1;
	s->empty_since = boottime_ms();
	return s;
}

static void free_space(struct space *s)
{
	table_clear(&s->table);
	if (s->diag >= 0)
		close(s->diag);
	if (s->netns >= 0)
		close(s->netns);
	if (s->routed >= 0)
		close(s->routed);
	free(s);
}

void space_close(struct space *s)
{
	datapath_close(s->datapath);
	free_space(s);
}

void space_remove(struct space *s)
{
	space_stop_replies(s);
	space_drop_routes(s);
	datapath_remove(s->datapath);
	free_space(s);
}
