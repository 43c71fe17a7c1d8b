// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "helper/broker/parts.h"
#include "helper/datapath/load.h"

static int maps[LOAD_MAPS];
static uint64_t n_maps;
static int made[TRACED_OBJECTS];
static uint64_t next = TRACED_OBJECTS; /* those before it are given away */

static void drop_maps(void)
{
	while (n_maps)
		close(maps[--n_maps]);
}

int broker_take_map(uint64_t number, int fd)
{
	int copy;

	if (number == 0)
		drop_maps();
	if (fd < 0 || number != n_maps || n_maps == LOAD_MAPS)
		return -EINVAL;
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		return -errno;
	maps[n_maps++] = copy;
	return 0;
}

int broker_make_traced(uint64_t number)
{
	if (number == 0) {
		int err = n_maps == LOAD_MAPS ? 0 : -EINVAL;

		while (next < TRACED_OBJECTS)
			close(made[next++]);
		if (!err)
			err = load_traced(maps, made);
		drop_maps();
		if (err)
			return err;
		next = 0;
	}
	return number == next && next < TRACED_OBJECTS ? made[next++] : -EINVAL;
}
