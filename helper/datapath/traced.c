// SPDX-License-Identifier: BSD-2-Clause
/* The program for watchers (bpf/traced.bpf.c) and its ring buffer: there only while somebody watches. */
#include "helper/datapath/datapath.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper/datapath/made.h"
#include "helper/datapath/upgrade.h"
#include "helper/log.h"

struct traced {
	int made[TRACED_OBJECTS];
	struct ring_buffer *ring;
	struct skl_watch *watch;
	/* of the reading that is going on */
	decision_row *one;
	void *context;
	size_t left;
};

static int on_sample(void *context, void *data, size_t size)
{
	struct traced *t = context;

	if (size == sizeof(struct skl_decision))
		t->one(t->context, data);
	return --t->left ? 0 : -ENOSPC; /* which ends the reading; this one counts as read */
}

static void free_traced(struct traced *t)
{
	ring_buffer__free(t->ring);
	if (t->watch)
		munmap(t->watch, sizeof(*t->watch));
	for (size_t i = 0; i < TRACED_OBJECTS; i++)
		close(t->made[i]);
	free(t);
}

static int map_all(struct traced *t)
{
	void *at =
		mmap(NULL, sizeof(*t->watch), PROT_READ | PROT_WRITE, MAP_SHARED, t->made[TRACED_WATCH], 0);

	if (at == MAP_FAILED)
		return -errno;
	t->watch = at;
	t->ring = ring_buffer__new(t->made[TRACED_DECISIONS], on_sample, t, NULL);
	return t->ring ? 0 : -errno;
}

int datapath_trace(struct datapath *d)
{
	struct traced *t;
	int maps[LOAD_MAPS], err;

	if (d->traced)
		return 0;
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	datapath_maps(d, maps);
	err = made_traced(maps, t->made);
	if (err) {
		free(t);
		return err;
	}
	err = map_all(t);
	if (!err)
		err = upgrade_lend(d, t->made[TRACED_PROGRAM]);
	if (err)
		free_traced(t);
	else
		d->traced = t;
	return err;
}

void datapath_untrace(struct datapath *d)
{
	int err;

	if (!d->traced)
		return;
	err = upgrade_return(d);
	if (err && err != -ENOLINK) /* its namespace is gone, and with it all that was attached */
		log_error("%s: its program goes on to write for watchers: %s", pins_shown(d->path),
			  strerror(-err));
	free_traced(d->traced);
	d->traced = NULL;
}

struct skl_watch *datapath_watch(struct datapath *d)
{
	return d->traced ? d->traced->watch : NULL;
}

void datapath_read_decisions(struct datapath *d, size_t most, decision_row *one, void *context)
{
	struct traced *t = d->traced;

	if (!t)
		return;
	t->one = one;
	t->context = context;
	t->left = most;
	ring_buffer__consume(t->ring);
}
