// SPDX-License-Identifier: BSD-2-Clause
/* The filter: which system calls the supervisor is asked about. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "helper/cli/supervise.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif
static int add_rules(scmp_filter_ctx filter)
{
	int err = 0;

#ifdef __x86_64__
	err = seccomp_arch_add(filter, SCMP_ARCH_X86);
	if (!err)
		err = seccomp_arch_add(filter, SCMP_ARCH_X32);
#endif
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(listen), 0);
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_NOTIFY, SCMP_SYS(bind), 0);
	/* A SOCKMAP takes no MPTCP socket. Who asks for one falls back to TCP where the kernel has none. */
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket), 1,
				       SCMP_A2(SCMP_CMP_EQ, IPPROTO_MPTCP, 0));
	return err;
}

/* Reads the filter into memory of its own; *n is how many instructions it has. */
static struct sock_filter *compile(unsigned short *n)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	struct sock_filter *code = NULL;
	int fd = memfd_create("filter", MFD_CLOEXEC);
	struct stat st;

	if (filter && fd >= 0 && add_rules(filter) == 0 && seccomp_export_bpf(filter, fd) == 0 &&
	    fstat(fd, &st) == 0)
		code = malloc((size_t)st.st_size);
	if (code && pread(fd, code, (size_t)st.st_size, 0) != st.st_size) {
		free(code);
		code = NULL;
	}
	if (code)
		*n = (unsigned short)((size_t)st.st_size / sizeof(*code));
	if (fd >= 0)
		close(fd);
	seccomp_release(filter);
	return code;
}

/* libseccomp 2.5 does not know WAIT_KILLABLE_RECV, and loads what it makes by itself only. */
static int load(const struct sock_fprog *program)
{
	unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER;
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, program);

	if (fd < 0 && errno == EINVAL) /* before Linux 5.19 */
		fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
	return fd < 0 ? -errno : (int)fd;
}

bool trap_takes_rights(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};

	return syscall(SYS_capget, &header, data) < 0 ||
	       !(data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN));
}

int trap_install(void)
{
	struct sock_fprog program = {0};
	int fd;

	program.filter = compile(&program.len);
	if (!program.filter)
		return -ENOMEM;
	fd = load(&program);
	/* Who may not do it as he is may when he gives up to gain rights by exec; root keeps that. */
	if (fd == -EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		fd = load(&program);
	free(program.filter);
	return fd;
}
