// SPDX-License-Identifier: BSD-2-Clause
/*
 * The system calls that each of the helper's processes may make.
 *
 * Three answers. What is listed works. What nobody but an intruder would call
 * in here (execve, ptrace, setns, ...) ends the process: the service manager
 * starts another, and coverage stays in place meanwhile. Anything else fails
 * with EPERM: a C library of tomorrow may try a new call, or look for a file
 * that need not be there, and must not bring down the helper by it at night. To
 * the intruder EPERM is as little use. It is not written to the audit log: that
 * would be done for each thread, too (see allow_threads()).
 */
#include "helper/isolate.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL(name)   SCMP_SYS(name)
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What a process does with the descriptors and the memory that it has. */
static const int both_call[] = {
	CALL(read),
	CALL(write),
	CALL(close),
	CALL(lseek),
	CALL(fcntl),
	CALL(fcntl64),
	CALL(dup),
	CALL(dup2),
	CALL(dup3),
	CALL(poll),
	CALL(ppoll),
	CALL(ppoll_time64),
	CALL(recvmsg),
	CALL(recvfrom),
	CALL(recv),
	CALL(sendmsg),
	CALL(sendto),
	CALL(send),
	CALL(getsockopt),
	CALL(setsockopt),
	CALL(getsockname),
	CALL(getpeername),
	CALL(fstat),
	CALL(fstat64),
	CALL(brk),
	CALL(munmap),
	CALL(mremap),
	CALL(madvise),
	CALL(futex),
	CALL(futex_time64),
	CALL(rseq),
	CALL(set_robust_list),
	CALL(rt_sigaction),
	CALL(rt_sigprocmask),
	CALL(rt_sigreturn),
	CALL(sigreturn),
	CALL(clock_gettime),
	CALL(clock_gettime64),
	CALL(clock_nanosleep),
	CALL(clock_nanosleep_time64),
	CALL(nanosleep),
	CALL(restart_syscall),
	CALL(getrandom),
	CALL(getpid),
	CALL(gettid),
	CALL(getuid),
	CALL(geteuid),
	CALL(getgid),
	CALL(getegid),
	CALL(uname),
	CALL(sched_yield),
	CALL(exit),
	CALL(exit_group),
#ifdef SKL_FAULTS
	CALL(kill),
#endif
};

/* The pins of its namespaces, which are all that it sees of the file system, are listed, moved and removed.
 */
static const int main_calls[] = {
	CALL(accept4),	  CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_pwait2),  CALL(epoll_ctl),
	CALL(membarrier), CALL(mkdir),	    CALL(mkdirat),     CALL(rmdir),	    CALL(unlink),
	CALL(unlinkat),	  CALL(rename),	    CALL(renameat),    CALL(renameat2),	    CALL(memfd_create),
	CALL(pidfd_open), CALL(getdents64), CALL(shutdown),    CALL(epoll_create1),
};

static const int broker_calls[] = {
	CALL(open),	   CALL(openat),     CALL(stat),	  CALL(stat64),	    CALL(lstat),
	CALL(lstat64),	   CALL(fstatat64),  CALL(newfstatat),	  CALL(statx),	    CALL(access),
	CALL(faccessat),   CALL(faccessat2), CALL(readlink),	  CALL(readlinkat), CALL(pread64),
	CALL(getdents),	   CALL(getdents64), CALL(unlink),	  CALL(unlinkat),   CALL(rmdir),
	CALL(bind),	   CALL(connect),    CALL(epoll_create1), CALL(epoll_ctl),  CALL(epoll_wait),
	CALL(epoll_pwait), CALL(flock),	     CALL(prlimit64),
};

/* Nothing in either process leads to these: not a library on our behalf, but somebody else has the say. */
static const int fatal[] = {
	CALL(execve),
	CALL(execveat),
	CALL(fork),
	CALL(vfork),
	CALL(ptrace),
	CALL(process_vm_readv),
	CALL(process_vm_writev),
	CALL(process_madvise),
	CALL(pidfd_getfd),
	CALL(kcmp),
	CALL(mount),
	CALL(umount),
	CALL(umount2),
	CALL(pivot_root),
	CALL(chroot),
	CALL(move_mount),
	CALL(open_tree),
	CALL(mount_setattr),
	CALL(fsopen),
	CALL(fsmount),
	CALL(fspick),
	CALL(fsconfig),
	CALL(unshare),
	CALL(open_by_handle_at),
	CALL(io_uring_setup),
	CALL(userfaultfd),
	CALL(perf_event_open),
	CALL(keyctl),
	CALL(add_key),
	CALL(request_key),
	CALL(init_module),
	CALL(finit_module),
	CALL(delete_module),
	CALL(kexec_load),
	CALL(kexec_file_load),
	CALL(reboot),
	CALL(swapon),
	CALL(swapoff),
	CALL(personality),
	CALL(modify_ldt),
	CALL(iopl),
	CALL(ioperm),
	CALL(setuid),
	CALL(setreuid),
	CALL(setresuid),
	CALL(setgid),
	CALL(setregid),
	CALL(setresgid),
	CALL(setgroups),
	CALL(capset),
};

/* Nothing is made or loaded here: of what there is, programs are attached and maps are filled. */
static const unsigned int main_bpf[] = {
	BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM,    BPF_MAP_DELETE_ELEM, BPF_MAP_GET_NEXT_KEY,
	BPF_PROG_TEST_RUN,   BPF_OBJ_GET_INFO_BY_FD, BPF_OBJ_PIN,	  BPF_OBJ_GET,
	BPF_LINK_CREATE,     BPF_LINK_UPDATE,	     BPF_LINK_DETACH,
};

static const unsigned int broker_bpf[] = {
	BPF_MAP_CREATE,		BPF_MAP_LOOKUP_ELEM,   BPF_MAP_UPDATE_ELEM, BPF_MAP_FREEZE,
	BPF_PROG_LOAD,		BPF_PROG_BIND_MAP,     BPF_BTF_LOAD,	    BPF_LINK_CREATE,
	BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_GET_FD_BY_ID,
};

static int allow_calls(scmp_filter_ctx filter, const int *calls, size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return err;
}

/* The call, when its argument number `at` is one of these. */
static int allow_values(scmp_filter_ctx filter, int call, unsigned int at, const unsigned int *values,
			size_t n)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		const struct scmp_arg_cmp is = {.arg = at, .op = SCMP_CMP_EQ, .datum_a = values[i]};

		err = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &is);
	}
	return err;
}

/* The call, when those bits of its argument number `at` that are in `mask` are as in `bits`. */
static int allow_bits(scmp_filter_ctx filter, int call, unsigned int at, scmp_datum_t mask, scmp_datum_t bits)
{
	const struct scmp_arg_cmp is = {
		.arg = at, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = bits};

	return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, call, 1, &is);
}

/* Threads (discard.c, jobs.c), but no processes and no namespaces. clone3 has its flags in memory: as if
 * there were none. */
static int allow_threads(scmp_filter_ctx filter)
{
	const scmp_datum_t thread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
	const scmp_datum_t never = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
				   CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_PTRACE | CLONE_VFORK;
	int err = allow_bits(filter, CALL(clone), 0, thread | never, thread);

	return err ? err : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), CALL(clone3), 0);
}

/* No memory is both written and executed, and what is mapped from a file is not executed. */
static int allow_memory(scmp_filter_ctx filter)
{
	static const int calls[] = {CALL(mmap), CALL(mmap2), CALL(mprotect)};
	int err = 0;

	for (size_t i = 0; i < COUNT(calls) && !err; i++)
		err = allow_bits(filter, calls[i], 2, PROT_EXEC, 0);
	return err;
}

/* abort() of the C library, when it finds its heap broken, raises a signal against this process alone. */
static int allow_abort(scmp_filter_ctx filter)
{
	const unsigned int self = (unsigned int)getpid();

	return allow_values(filter, CALL(tgkill), 0, &self, 1);
}

/* Directories may be opened, to be listed: no flag of open() that makes or writes is among them. */
static int allow_listing(scmp_filter_ctx filter)
{
	const scmp_datum_t mask = O_ACCMODE | O_CREAT | O_TRUNC | O_PATH | O_TMPFILE;
	int err = allow_bits(filter, CALL(openat), 2, mask, O_DIRECTORY);

	return err ? err : allow_bits(filter, CALL(open), 1, mask, O_DIRECTORY);
}

static int allow_main(scmp_filter_ctx filter)
{
	static const unsigned int requests[] = {SIOCGSKNS};
	int err = allow_calls(filter, main_calls, COUNT(main_calls));

	if (!err)
		err = allow_threads(filter);
	if (!err)
		err = allow_listing(filter);
	if (!err)
		err = allow_memory(filter);
	if (!err)
		err = allow_values(filter, CALL(ioctl), 1, requests, COUNT(requests));
	if (!err)
		err = allow_values(filter, CALL(bpf), 0, main_bpf, COUNT(main_bpf));
	/* how some C libraries spell fstat(); with a path it tells no more than that something is there */
	if (!err)
		err = allow_bits(filter, CALL(newfstatat), 3, AT_EMPTY_PATH, AT_EMPTY_PATH);
	if (!err)
		err = allow_bits(filter, CALL(statx), 2, AT_EMPTY_PATH, AT_EMPTY_PATH);
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, CALL(setns), 0);
	return err;
}

/* Modules of the name service, which know users and groups, are files that are executed. */
static int allow_broker(scmp_filter_ctx filter)
{
	static const int memory[] = {CALL(mmap), CALL(mmap2), CALL(mprotect)};
	static const unsigned int domains[] = {AF_NETLINK, AF_UNIX}, namespaces[] = {CLONE_NEWNET};
	static const unsigned int requests[] = {NS_GET_USERNS, NS_GET_PARENT, NS_GET_OWNER_UID};
	int err = allow_calls(filter, broker_calls, COUNT(broker_calls));

	if (!err)
		err = allow_threads(filter);
	if (!err)
		err = allow_calls(filter, memory, COUNT(memory));
	if (!err)
		err = allow_values(filter, CALL(socket), 0, domains, COUNT(domains));
	if (!err)
		err = allow_values(filter, CALL(setns), 1, namespaces, COUNT(namespaces));
	if (!err)
		err = allow_values(filter, CALL(ioctl), 1, requests, COUNT(requests));
	if (!err)
		err = allow_values(filter, CALL(bpf), 0, broker_bpf, COUNT(broker_bpf));
	return err;
}

static int make(scmp_filter_ctx filter, enum isolate_part part)
{
	int err = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* where the library can */
	for (size_t i = 0; i < COUNT(fatal) && !err; i++)
		err = seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, fatal[i], 0);
	if (!err)
		err = allow_calls(filter, both_call, COUNT(both_call));
	if (!err)
		err = allow_abort(filter);
	if (!err)
		err = part == ISOLATE_MAIN ? allow_main(filter) : allow_broker(filter);
	return err ? err : seccomp_load(filter);
}

int isolate_calls(enum isolate_part part)
{
	scmp_filter_ctx filter;
	int err;

	if (ISOLATE_INSTRUMENTED)
		return 0;
	filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (!filter)
		return -ENOMEM;
	err = make(filter, part);
	seccomp_release(filter);
	return err;
}
