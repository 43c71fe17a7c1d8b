/* SPDX-License-Identifier: BSD-2-Clause */
/* System calls without a libc. Each returns its result or -errno; none is a cancellation point or touches
 * errno. */
#ifndef SKL_SYS_H
#define SKL_SYS_H

#include <asm/socket.h>
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/net.h>
#include <linux/stat.h>
#include <linux/time.h>
#include <linux/time_types.h>
#include <linux/types.h>
#include <linux/uio.h>

/* What the kernel's own headers leave to the libc's. */
#define AF_UNIX		 1
#define AF_INET		 2
#define AF_INET6	 10
#define SOCK_STREAM	 1
#define SOCK_DGRAM	 2
#define SOCK_SEQPACKET	 5
#define SOCK_CLOEXEC	 02000000
#define MSG_TRUNC	 0x20
#define MSG_CTRUNC	 0x08
#define MSG_NOSIGNAL	 0x4000
#define MSG_CMSG_CLOEXEC 0x40000000
#define SCM_RIGHTS	 1
#define SIGPIPE		 13
#define SIG_BLOCK	 0
#define SIG_SETMASK	 2
#define AT_FDCWD	 -100
#define O_CLOEXEC	 02000000
#define O_NONBLOCK	 04000
#define FD_CLOEXEC	 1
#define F_GETFD		 1
#define F_GETFL		 3
#define F_SETFL		 4
#define F_DUPFD_CLOEXEC	 1030
#define GRND_NONBLOCK	 1

/* The kernel's view of struct msghdr, and of a control message with one descriptor in it. */
struct sys_message {
	void *name;
	int name_length;
	struct iovec *parts;
	unsigned long n_parts;
	void *control;
	unsigned long control_length;
	unsigned int flags;
};

struct sys_rights {
	unsigned long length; /* to the end of fd: the padding after it is not counted */
	int level;
	int type;
	int fd;
};

#if defined(__x86_64__) && !defined(__ILP32__)

static inline long sys_call(long nr, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d;
	register long r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

#elif defined(__aarch64__)

static inline long sys_call(long nr, long a, long b, long c, long d, long e)
{
	register long x8 __asm__("x8") = nr;
	register long x0 __asm__("x0") = a;
	register long x1 __asm__("x1") = b;
	register long x2 __asm__("x2") = c;
	register long x3 __asm__("x3") = d;
	register long x4 __asm__("x4") = e;

	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4) : "memory");
	return x0;
}

#elif defined(__i386__)

static inline long sys_call(long nr, long a, long b, long c, long d, long e)
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory");
	return result;
}

#else
/* cppcheck-suppress preprocessorErrorDirective */
#error "The shim knows x86-64, aarch64 and i386."
#endif

#ifdef __i386__
/* Old kernels and some sandboxes know only the one call that all socket calls once shared. */
static inline long sys_socket_call(long nr, long shared, long a, long b, long c, long d, long e)
{
	long result = sys_call(nr, a, b, c, d, e);

	if (result == -ENOSYS) {
		long arguments[] = {a, b, c, d, e};

		result = sys_call(__NR_socketcall, shared, (long)arguments, 0, 0, 0);
	}
	return result;
}
#else
#define sys_socket_call(nr, shared, a, b, c, d, e) sys_call(nr, a, b, c, d, e)
#endif

static inline int sys_socket(int domain, int type, int protocol)
{
	return (int)sys_socket_call(__NR_socket, SYS_SOCKET, domain, type, protocol, 0, 0);
}

static inline int sys_bind(int fd, const void *address, unsigned int length)
{
	return (int)sys_socket_call(__NR_bind, SYS_BIND, fd, (long)address, (long)length, 0, 0);
}

static inline int sys_listen(int fd, int backlog)
{
	return (int)sys_socket_call(__NR_listen, SYS_LISTEN, fd, backlog, 0, 0, 0);
}

static inline int sys_connect(int fd, const void *address, unsigned int length)
{
	return (int)sys_socket_call(__NR_connect, SYS_CONNECT, fd, (long)address, (long)length, 0, 0);
}

static inline int sys_getsockname(int fd, void *address, unsigned int *length)
{
	return (int)sys_socket_call(__NR_getsockname, SYS_GETSOCKNAME, fd, (long)address, (long)length, 0, 0);
}

static inline int sys_getsockopt(int fd, int level, int option, void *value, unsigned int *length)
{
	return (int)sys_socket_call(__NR_getsockopt, SYS_GETSOCKOPT, fd, level, option, (long)value,
				    (long)length);
}

/* One of SOL_SOCKET that is a number. */
static inline int sys_option(int fd, int name)
{
	unsigned int length = sizeof(int);
	int value = -1;
	int err = sys_getsockopt(fd, SOL_SOCKET, name, &value, &length);

	return err < 0 ? err : value;
}

static inline int sys_setsockopt(int fd, int level, int option, const void *value, unsigned int length)
{
	return (int)sys_socket_call(__NR_setsockopt, SYS_SETSOCKOPT, fd, level, option, (long)value,
				    (long)length);
}

static inline long sys_sendmsg(int fd, const struct sys_message *message, int flags)
{
	return sys_socket_call(__NR_sendmsg, SYS_SENDMSG, fd, (long)message, flags, 0, 0);
}

static inline long sys_recvmsg(int fd, struct sys_message *message, int flags)
{
	return sys_socket_call(__NR_recvmsg, SYS_RECVMSG, fd, (long)message, flags, 0, 0);
}

static inline int sys_open(const char *path, int flags)
{
	return (int)sys_call(__NR_openat, AT_FDCWD, (long)path, flags, 0, 0);
}

static inline long sys_read(int fd, void *buffer, unsigned long size)
{
	return sys_call(__NR_read, fd, (long)buffer, (long)size, 0, 0);
}

static inline long sys_write(int fd, const void *buffer, unsigned long size)
{
	return sys_call(__NR_write, fd, (long)buffer, (long)size, 0, 0);
}

static inline int sys_close(int fd)
{
	return (int)sys_call(__NR_close, fd, 0, 0, 0, 0);
}

static inline int sys_fcntl(int fd, int command, long argument)
{
	return (int)sys_call(__NR_fcntl, fd, command, argument, 0, 0);
}

static inline int sys_dup3(int from, int to, int flags)
{
	return (int)sys_call(__NR_dup3, from, to, flags, 0, 0);
}

static inline int sys_statx(const char *path, unsigned int mask, struct statx *stat)
{
	return (int)sys_call(__NR_statx, AT_FDCWD, (long)path, 0, (long)mask, (long)stat);
}

static inline long sys_getrandom(void *buffer, unsigned long size)
{
	return sys_call(__NR_getrandom, (long)buffer, (long)size, GRND_NONBLOCK, 0, 0);
}

static inline int sys_clock(struct __kernel_old_timespec *now)
{
	return (int)sys_call(__NR_clock_gettime, CLOCK_MONOTONIC, (long)now, 0, 0, 0);
}

static inline int sys_sleep(const struct __kernel_old_timespec *span)
{
	return (int)sys_call(__NR_nanosleep, (long)span, 0, 0, 0, 0);
}

/* Signal sets are 64 bits wide on all three architectures; bit n-1 is signal n. */
static inline int sys_sigprocmask(int how, const __u64 *set, __u64 *old)
{
	return (int)sys_call(__NR_rt_sigprocmask, how, (long)set, (long)old, sizeof(*set), 0);
}

static inline int sys_sigpending(__u64 *set)
{
	return (int)sys_call(__NR_rt_sigpending, (long)set, sizeof(*set), 0, 0, 0);
}

static inline int sys_sigtimedwait(const __u64 *set, const struct __kernel_old_timespec *span)
{
	return (int)sys_call(__NR_rt_sigtimedwait, (long)set, 0, (long)span, sizeof(*set), 0);
}

/* i386 has identities of 16 bits under the plain names. */
#ifdef __NR_getuid32
#define SYS_ID(name) sys_call(__NR_##name##32, 0, 0, 0, 0, 0)
#else
#define SYS_ID(name) sys_call(__NR_##name, 0, 0, 0, 0, 0)
#endif

static inline __u32 sys_geteuid(void)
{
	return (__u32)SYS_ID(geteuid);
}

/* Whether this image runs with more rights than whoever started it: what AT_SECURE says, for want of
 * AT_SECURE. */
static inline int sys_gained_rights(void)
{
	return SYS_ID(getuid) != SYS_ID(geteuid) || SYS_ID(getgid) != SYS_ID(getegid);
}

static inline int sys_getpid(void)
{
	return (int)sys_call(__NR_getpid, 0, 0, 0, 0, 0);
}

#endif
