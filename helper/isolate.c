// SPDX-License-Identifier: BSD-2-Clause
#include "helper/isolate.h"

#include <errno.h>
#include <linux/capability.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/log.h"

struct right {
	int number;
	const char *name;
};

/*
 * CAP_NET_ADMIN: to ask a socket for its namespace (SIOCGSKNS). CAP_BPF: to work on a map at all, before
 * Linux 5.19; that it may not make any, nor load programs, is the filter's affair.
 */
static const struct right main_keeps[] = {{CAP_BPF, "CAP_BPF"}, {CAP_NET_ADMIN, "CAP_NET_ADMIN"}, {0}};

/*
 * CAP_SYS_ADMIN: to enter a namespace, and to load programs. CAP_NET_ADMIN: to attach the reply program, and
 * for a SOCKMAP. CAP_SYS_PTRACE: to see which namespaces another user's process is in, and which sockets it
 * has.
 */
static const struct right broker_keeps[] = {{CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
					    {CAP_NET_ADMIN, "CAP_NET_ADMIN"},
					    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE"},
					    {0}};

void isolate_begin(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (!ISOLATE_INSTRUMENTED)
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int isolate_files(const char *directory)
{
	if (chdir(directory) < 0)
		return -errno;
	if (ISOLATE_INSTRUMENTED || chroot(".") == 0)
		return 0;
	if (errno != EPERM || geteuid() == 0)
		return -errno;
	log_info("without CAP_SYS_CHROOT it goes on seeing the names of files");
	return 0;
}

/* Without CAP_SETPCAP it stays; it matters only to a program that is executed, and none ever is. */
static void drop_bounding_set(void)
{
	for (int c = 0; prctl(PR_CAPBSET_READ, c, 0, 0, 0) >= 0; c++) {
		if (prctl(PR_CAPBSET_DROP, c, 0, 0, 0) < 0)
			return;
	}
}

int isolate_capabilities(enum isolate_part part)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
	uint64_t permitted, kept = 0;

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	permitted = (uint64_t)data[1].permitted << 32 | data[0].permitted;
	for (const struct right *r = part == ISOLATE_MAIN ? main_keeps : broker_keeps; r->name; r++) {
		if (!(permitted >> r->number & 1)) {
			log_error("%s is missing", r->name);
			return -EPERM;
		}
		kept |= UINT64_C(1) << r->number;
	}
	drop_bounding_set();
	data[0] = (struct __user_cap_data_struct){.effective = (uint32_t)kept, .permitted = (uint32_t)kept};
	data[1] = (struct __user_cap_data_struct){.effective = (uint32_t)(kept >> 32),
						  .permitted = (uint32_t)(kept >> 32)};
	/* the ambient set goes with the inheritable one */
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}
