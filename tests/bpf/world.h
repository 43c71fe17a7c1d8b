/* SPDX-License-Identifier: BSD-2-Clause */
/* A network namespace and a bpffs of one's own, and the result lines (TAP) of what is tested in them. */
#ifndef SKL_TESTS_BPF_WORLD_H
#define SKL_TESTS_BPF_WORLD_H

#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned int results, failures;
static const char bpffs[] = "/tmp/bpf";

static inline void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

/* One result. Returns whether it was good, so that a reason can follow as "# ..." lines. */
static inline bool __attribute__((format(printf, 2, 3))) ok(bool good, const char *format, ...)
{
	va_list args;

	failures += !good;
	printf("%sok %u - ", good ? "" : "not ", ++results);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	return good;
}

/* Prints the plan. Returns the exit status. */
static inline int finish(void)
{
	printf("1..%u\n", results);
	return failures || results == 0;
}

/* From here on the machine's own network namespace is out of reach. `bpffs` is where objects can be pinned.
 */
static inline void enter_world(void)
{
	struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	int fd;

	const struct rlimit no_limit = {RLIM_INFINITY, RLIM_INFINITY};

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* as the helper: before Linux 5.11 maps count as locked memory */
	setrlimit(RLIMIT_MEMLOCK, &no_limit);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		die("no namespaces of its own (this needs root)");
	/* a /tmp that nobody else sees, so that nothing is left however this ends */
	if (mount("tmpfs", "/tmp", "tmpfs", 0, NULL) || mkdir(bpffs, 0700) ||
	    mount("bpf", bpffs, "bpf", 0, "mode=0700"))
		die("no bpffs of its own");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &lo))
		die("loopback device");
	close(fd);
}

#endif
