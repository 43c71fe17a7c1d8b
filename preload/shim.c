// SPDX-License-Identifier: BSD-2-Clause
/*
 * bind() and listen(): the real call first, then, if the environment wishes
 * for more, one question to the helper with the socket attached. With SKL_SHARE
 * there is a question before bind(), too.
 *
 * Both must work wherever the real ones do: in signal handlers, in any thread,
 * between vfork and exec, in a program that closed every descriptor or wiped
 * its environment. So all that needs a libc happens once, at load; afterwards
 * there is nothing but system calls, and no state but what load left behind.
 */
#include <asm/socket.h>
#include <linux/auxvec.h>
#include <linux/in.h>
#include <stddef.h>

#include "preload/ask.h"
#include "preload/env.h"
#include "preload/real.h"
#include "preload/root.h"
#include "preload/say.h"
#include "preload/settle.h"
#include "preload/share.h"
#include "preload/sys.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int bind(int fd, const struct sockaddr *address, unsigned int length);
EXPORT int listen(int fd, int backlog);

extern unsigned long getauxval(unsigned long type) __attribute__((weak));

/* Set at load and constant from then on. */
static struct env env;
static int active; /* 0 also for calls from before load: those are just the real ones */
static __u64 instance;

/* Only to tell programs apart, so where there is no randomness yet, time and place will do. Never 0. */
static __u64 make_instance(void)
{
	struct __kernel_old_timespec now = {0};
	__u64 id = 0;

	if (sys_getrandom(&id, sizeof(id)) != sizeof(id)) {
		sys_clock(&now);
		id = (__u64)now.tv_sec << 30 ^ (__u64)now.tv_nsec ^ (__u64)sys_getpid() << 40 ^
		     (__u64)(unsigned long)&now;
		id = (id ^ id >> 30) * 0xbf58476d1ce4e5b9ull;
		id = (id ^ id >> 27) * 0x94d049bb133111ebull;
	}
	return id ? id : 1;
}

static int is_secure(void)
{
	return getauxval ? getauxval(AT_SECURE) != 0 : sys_gained_rights();
}

/* No parameters: musl passes none to constructors. */
__attribute__((constructor)) static void load(void)
{
	char **const *environ = NULL;

	real_find((const void *)bind, (const void *)listen);
	if (is_secure())
		return;
	if (dlsym)
		environ = (char **const *)dlsym(NULL, "environ");
	env_read(&env, environ ? *environ : NULL);
	if (!env.wanted || env.disabled)
		return;
	instance = make_instance();
	root_remember();
	active = 1;
}

static int is_internet(int fd, int type)
{
	int domain = sys_option(fd, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) && sys_option(fd, SO_TYPE) == type;
}

static int claim(enum skl_kind kind, int fd)
{
	const struct ask question = {.env = &env, .instance = instance, .kind = kind, .fd = fd};
	struct say say;
	enum ask_end end;
	int error = -ask(&question, &say, &end);

	return settle(&question, end, error, &say);
}

/*
 * 1: the share's socket is there, bound; 0: the program binds its own; -1 and errno. Not inlined: its large
 * frame is gone again before the claim needs another.
 */
__attribute__((noinline)) static int join(int fd, const struct skl_join *address)
{
	const struct ask question = {
		.env = &env, .instance = instance, .kind = SKL_CLAIM_JOIN, .fd = fd, .join = address};
	struct say say;
	enum ask_end end;
	int joined = share_join(&question, &say, &end);
	int result = settle(&question, end, joined < 0 ? -joined : 0, &say);

	return joined > 0 ? 1 : result;
}

/*
 * Who may bind may still find the address in use, where the last process of the share is just letting go of
 * it.
 */
static int bind_shared(int fd, const struct sockaddr *address, unsigned int length,
		       const struct skl_join *as_told)
{
	int result = 0;

	for (int attempts = 10; attempts > 0; attempts--) {
		int joined = join(fd, as_told);

		if (joined)
			return joined > 0 ? 0 : -1;
		result = real_bind(fd, address, length);
		if (result == 0 || real_error() != EADDRINUSE)
			break;
		share_pause();
	}
	return result;
}

int bind(int fd, const struct sockaddr *address, unsigned int length)
{
	struct skl_join join_address = {0};
	const char *port;
	int result;

	if (active && env.share && share_concerns(fd, address, length, &join_address))
		result = bind_shared(fd, address, length, &join_address);
	else
		result = real_bind(fd, address, length);
	if (result != 0 || !active || !is_internet(fd, SOCK_DGRAM) ||
	    sys_option(fd, SO_PROTOCOL) != IPPROTO_UDP)
		return result;
	/* The kernel took it for an internet address, so it is long enough and could be read. */
	port = (const char *)address + offsetof(struct sockaddr_in, sin_port);
	return port[0] || port[1] ? claim(SKL_CLAIM_BIND, fd) : result;
}

int listen(int fd, int backlog)
{
	int protocol, result;

	if (active && env.share)
		backlog = share_backlog(fd, backlog);
	result = real_listen(fd, backlog);
	if (result != 0 || !active || !is_internet(fd, SOCK_STREAM))
		return result;
	/* Not SCTP. Multipath TCP is asked for, although it cannot be served: the helper says what to do
	 * about it. */
	protocol = sys_option(fd, SO_PROTOCOL);
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP)
		return result;
	return claim(SKL_CLAIM_LISTEN, fd);
}
