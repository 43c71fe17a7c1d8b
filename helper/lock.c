// SPDX-License-Identifier: BSD-2-Clause
#include "helper/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

/* A line of /proc/locks: "1: FLOCK  ADVISORY  WRITE 4711 00:2a:12345 0 EOF". */
static pid_t find_holder(int fd)
{
	FILE *locks = fopen("/proc/locks", "re");
	char line[256];
	pid_t holder = 0;
	struct stat st;

	if (!locks)
		return 0;
	while (fstat(fd, &st) == 0 && holder == 0 && fgets(line, sizeof(line), locks)) {
		unsigned int high, low;
		unsigned long ino;
		int pid;

		if (sscanf(line, "%*u: FLOCK %*s %*s %d %x:%x:%lu", &pid, &high, &low, &ino) == 4 &&
		    makedev(high, low) == st.st_dev && ino == st.st_ino)
			holder = pid;
	}
	fclose(locks);
	return holder > 0 ? holder : 0;
}

/* Whoever leaves removes the directory: then this is the lock of one that nobody else will find. */
static bool is_there(int fd, const char *directory)
{
	struct stat mine, there;

	return fstat(fd, &mine) == 0 && stat(directory, &there) == 0 && mine.st_dev == there.st_dev &&
	       mine.st_ino == there.st_ino;
}

/*
 * One that was killed holds it until the last of its threads has ended, which
 * may be in the middle of close(); by then it has no number any more.
 */
static int take(int fd, pid_t *holder)
{
	const struct timespec moment = {.tv_nsec = 20000000};

	*holder = 0;
	for (int tries = 0; tries < 50; tries++) {
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			return 0;
		if (errno != EWOULDBLOCK)
			return -errno;
		*holder = find_holder(fd);
		if (*holder)
			break;
		nanosleep(&moment, NULL);
	}
	return -EWOULDBLOCK;
}

int lock_take(const char *directory, pid_t *holder)
{
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return errno == ENOENT ? -ESTALE : -errno;
	err = take(fd, holder);
	if (!err && !is_there(fd, directory))
		err = -ESTALE;
	if (!err)
		return fd;
	close(fd);
	return err;
}
