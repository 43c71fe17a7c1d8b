// SPDX-License-Identifier: BSD-2-Clause
/*
 * Preloaded into the helper: lets one call of those below fail, or all from that one on. Which one, the file
 * that FAIL_CONTROL names says (struct control, mapped: tests/programs/fail.py has the other end).
 *
 * The broker answers every order or ends, so the socketpair between the two is left alone in there.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct control {
	uint32_t armed; /* 0: no; 1: one call fails; 2: all from that one on do */
	int32_t left;	/* calls until then */
	uint32_t fired; /* how many have failed */
	uint32_t memory_only;
	char name[32]; /* of the first that failed */
};

static struct control *control;
static bool in_broker;

typedef long system_call(long number, ...);

/* A library that is loaded before this one may call in here before begin() has run. */
static system_call *find_real(void)
{
	static system_call *found;

	if (!found)
		found = dlsym(RTLD_NEXT, "syscall");
	return found;
}

#define real(...) find_real()(__VA_ARGS__)

/* The function of that name that would be called if this library were not there. */
#define NEXT(name, ...)                                                                                      \
	({                                                                                                   \
		static typeof(name) *next_;                                                                  \
		if (!next_)                                                                                  \
			next_ = dlsym(RTLD_NEXT, #name);                                                     \
		next_(__VA_ARGS__);                                                                          \
	})

/* Of glibc, under names that nobody else takes. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *at, size_t size);

static void on_fork(void)
{
	in_broker = true;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("FAIL_CONTROL");
	void *at;
	int fd;

	pthread_atfork(NULL, NULL, on_fork);
	fd = path ? (int)real(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC) : -1;
	if (fd < 0)
		abort();
	at = (void *)real(SYS_mmap, NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		abort();
	real(SYS_close, fd);
	control = at;
}

static bool due(const char *name, bool memory)
{
	int32_t left;

	if (!control || !__atomic_load_n(&control->armed, __ATOMIC_ACQUIRE) ||
	    (control->memory_only && !memory))
		return false;
	left = __atomic_sub_fetch(&control->left, 1, __ATOMIC_RELAXED);
	if (left > 0 || (left < 0 && control->armed == 1))
		return false;
	if (__atomic_fetch_add(&control->fired, 1, __ATOMIC_RELAXED) == 0)
		snprintf(control->name, sizeof(control->name), "%s%s", name, in_broker ? " (broker)" : "");
	return true;
}

/* ---- memory ---- */

#define FAIL_MEMORY(name)                                                                                    \
	do {                                                                                                 \
		if (due(name, true)) {                                                                       \
			errno = ENOMEM;                                                                      \
			return NULL;                                                                         \
		}                                                                                            \
	} while (0)

void *malloc(size_t size)
{
	FAIL_MEMORY("malloc");
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	FAIL_MEMORY("calloc");
	return __libc_calloc(n, size);
}

void *realloc(void *at, size_t size)
{
	FAIL_MEMORY("realloc");
	return __libc_realloc(at, size);
}

void *reallocarray(void *at, size_t n, size_t size)
{
	size_t bytes;

	FAIL_MEMORY("reallocarray");
	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return __libc_realloc(at, bytes);
}

/* ---- system calls ---- */

#define FAIL(name, err)                                                                                      \
	do {                                                                                                 \
		if (due(name, false)) {                                                                      \
			errno = err;                                                                         \
			return -1;                                                                           \
		}                                                                                            \
	} while (0)

static bool is_pair(int fd)
{
	int domain = 0;
	socklen_t length = sizeof(domain);

	return in_broker && real(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) == 0 &&
	       domain == AF_UNIX;
}

long syscall(long number, ...)
{
	va_list list;
	long a[6];

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(list, long);
	va_end(list);
	if (number != SYS_bpf)
		FAIL("syscall", EPERM);
	else if (a[0] != BPF_MAP_DELETE_ELEM) /* no kernel refuses to take away */
		FAIL("bpf", ENOMEM);
	return real(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	FAIL("setsockopt", ENOMEM);
	return (int)real(SYS_setsockopt, fd, level, name, value, length);
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *length)
{
	FAIL("getsockopt", ENOMEM);
	return (int)real(SYS_getsockopt, fd, level, name, value, length);
}

int getsockname(int fd, struct sockaddr *address, socklen_t *length)
{
	FAIL("getsockname", ENOBUFS);
	return (int)real(SYS_getsockname, fd, address, length);
}

int socket(int domain, int type, int protocol)
{
	FAIL("socket", EMFILE);
	return (int)real(SYS_socket, domain, type, protocol);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
	FAIL("accept4", EMFILE);
	return (int)real(SYS_accept4, fd, address, length, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (!is_pair(fd))
		FAIL("sendmsg", ENOBUFS);
	return real(SYS_sendmsg, fd, message, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	if (!is_pair(fd))
		FAIL("recvmsg", ENOMEM);
	return real(SYS_recvmsg, fd, message, flags);
}

ssize_t send(int fd, const void *data, size_t size, int flags)
{
	FAIL("send", ENOBUFS);
	return real(SYS_sendto, fd, data, size, flags, NULL, 0);
}

ssize_t recv(int fd, void *data, size_t size, int flags)
{
	FAIL("recv", ENOBUFS);
	return real(SYS_recvfrom, fd, data, size, flags, NULL, NULL);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *to, socklen_t length)
{
	FAIL("sendto", ENOBUFS);
	return real(SYS_sendto, fd, data, size, flags, to, length);
}

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (operation != EPOLL_CTL_DEL)
		FAIL("epoll_ctl", ENOMEM);
	return (int)real(SYS_epoll_ctl, epoll, operation, fd, event);
}

int fcntl(int fd, int command, ...)
{
	va_list list;
	long argument;

	va_start(list, command);
	argument = va_arg(list, long);
	va_end(list);
	FAIL("fcntl", EMFILE);
	return (int)real(SYS_fcntl, fd, command, argument);
}

int fcntl64(int fd, int command, ...) __attribute__((alias("fcntl")));

int ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	long argument;

	va_start(list, request);
	argument = va_arg(list, long);
	va_end(list);
	FAIL("ioctl", EPERM);
	return (int)real(SYS_ioctl, fd, request, argument);
}

int open(const char *path, int flags, ...)
{
	va_list list;
	int mode;

	va_start(list, flags);
	mode = va_arg(list, int);
	va_end(list);
	FAIL("open", EMFILE);
	return (int)real(SYS_openat, AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

ssize_t read(int fd, void *data, size_t size)
{
	FAIL("read", EIO);
	return real(SYS_read, fd, data, size);
}

ssize_t write(int fd, const void *data, size_t size)
{
	FAIL("write", ENOSPC);
	return real(SYS_write, fd, data, size);
}

int fstat(int fd, struct stat *st)
{
	FAIL("fstat", EACCES);
	return NEXT(fstat, fd, st);
}

int stat(const char *path, struct stat *st)
{
	FAIL("stat", EACCES);
	return NEXT(stat, path, st);
}

int memfd_create(const char *name, unsigned int flags)
{
	FAIL("memfd_create", EMFILE);
	return (int)real(SYS_memfd_create, name, flags);
}

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	if (due("mmap", true)) {
		errno = ENOMEM;
		return MAP_FAILED;
	}
	return (void *)real(SYS_mmap, at, size, protection, flags, fd, offset);
}

int mkdir(const char *path, mode_t mode)
{
	FAIL("mkdir", EPERM);
	return NEXT(mkdir, path, mode);
}

int rename(const char *from, const char *to)
{
	FAIL("rename", EPERM);
	return NEXT(rename, from, to);
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
		   void *argument)
{
	if (due("pthread_create", false))
		return EAGAIN;
	return NEXT(pthread_create, thread, attributes, start, argument);
}
