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
 *
 * No answer fails the call, unless SKL_ON_ERROR=warn: a server that was told to
 * serve more than it does should not look healthy.
 */
#include <asm/socket.h>
#include <linux/auxvec.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <stddef.h>

#include "preload/ask.h"
#include "preload/env.h"
#include "preload/real.h"
#include "preload/say.h"
#include "preload/share.h"
#include "preload/sys.h"
#include "preload/why.h"

#define EXPORT __attribute__((visibility("default")))

EXPORT int bind(int fd, const struct sockaddr *address, unsigned int length);
EXPORT int listen(int fd, int backlog);

extern unsigned long getauxval(unsigned long type) __attribute__((weak));

/* Set at load and constant from then on. */
static struct env env;
static int active; /* 0 also for calls from before load: those are just the real ones */
static __u64 instance;
static __u64 root_device, root_inode;

/* Not inlined, as below: its large frame is gone again before more stack is needed. */
__attribute__((noinline)) static int identify_root(__u64 *device, __u64 *inode)
{
	struct statx stat = {0};

	if (sys_statx("/", STATX_INO, &stat) < 0)
		return 0;
	*device = (__u64)stat.stx_dev_major << 32 | stat.stx_dev_minor;
	*inode = stat.stx_ino;
	return 1;
}

/* A program that cannot tell changed nothing. */
static int root_moved(void)
{
	__u64 device, inode;

	return root_inode && identify_root(&device, &inode) && (device != root_device || inode != root_inode);
}

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
	if (!identify_root(&root_device, &root_inode))
		root_inode = 0;
	active = 1;
}

static int option(int fd, int name)
{
	unsigned int length = sizeof(int);
	int value = -1;

	return sys_getsockopt(fd, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

static int is_internet(int fd, int type)
{
	int domain = option(fd, SO_DOMAIN);

	return (domain == AF_INET || domain == AF_INET6) && option(fd, SO_TYPE) == type;
}

static int is_udp(const struct ask *ask)
{
	return ask->kind == SKL_CLAIM_BIND ||
	       (ask->kind == SKL_CLAIM_JOIN && option(ask->fd, SO_TYPE) == SOCK_DGRAM);
}

/* In host order; it is at one place in both families. */
static __u16 port_of(const struct ask *ask)
{
	struct sockaddr_in6 address = {0};
	unsigned int length = sizeof(address);

	if (ask->join)
		__builtin_memcpy(&address, ask->join->address, sizeof(address));
	else
		sys_getsockname(ask->fd, &address, &length);
	return __builtin_bswap16(address.sin6_port);
}

/* "tcp port 7777" */
static void add_socket(struct text *text, const struct ask *ask)
{
	__u16 port = port_of(ask);

	text_add(text, is_udp(ask) ? "udp" : "tcp");
	text_add(text, port ? " port " : " socket");
	if (port)
		text_add_number(text, port);
}

__attribute__((noinline)) static void say_debug(const struct ask *ask, enum ask_end end, int error)
{
	char line[256];
	struct text text = {.at = line, .end = line + sizeof(line) - 1};

	text_add(&text, SAY_PREFIX);
	add_socket(&text, ask);
	text_add(&text, end < ASK_NO_CONNECTION ? ": could not ask " : ": asked ");
	text_add(&text, env.helper);
	text_add(&text, ": ");
	if (error)
		why_name(&text, error);
	else
		text_add(&text, "granted");
	*text.at++ = '\n';
	say_write(line, (unsigned long)(text.at - line), ask->fd);
}

__attribute__((noinline)) static void explain(const struct ask *ask, enum ask_end end, int error,
					      int left_alone, struct say *say)
{
	struct text text = {.at = say_text(say), .end = say_text(say) + SKL_SAY_MAX};

	if (left_alone) { /* without the port: it reads the same each time, and so is said once */
		text_add(&text, is_udp(ask) ? "udp" : "tcp");
		text_add(&text, ": further sockets of this program are left alone");
	} else {
		add_socket(&text, ask);
	}
	text_add(&text, ": ");
	why_name(&text, error);
	text_add(&text, ": ");
	why_explain(&text, ask, end, error, error == ENOENT && root_moved());
	say->length = (unsigned int)(text.at - say_text(say));
}

/*
 * A resolver binds a socket for each of its own questions, when it has long
 * given up the right to ask the helper, or while that is being restarted. They
 * need no coverage: the program's first socket has it.
 */
static int udp_may_do_without(const struct ask *ask, int error)
{
	static int granted;

	if (!error && ask->kind == SKL_CLAIM_BIND)
		__atomic_store_n(&granted, 1, __ATOMIC_RELAXED);
	return error && __atomic_load_n(&granted, __ATOMIC_RELAXED);
}

/* Has the program shut itself off from the helper? */
static int shut_off(int error)
{
	return error == EACCES || error == EPERM || error == EAFNOSUPPORT ||
	       (error == ENOENT && root_moved());
}

/*
 * An FTP server's session listens for its data connections, in a chroot and
 * without rights. They are no business of the helper, which has granted another
 * port. Where only the helper is away, it might be a first listener's successor.
 */
static int tcp_may_do_without(const struct ask *ask, int error)
{
	static __u16 granted;
	__u16 granted_port;

	if (!error && ask->kind == SKL_CLAIM_LISTEN)
		__atomic_store_n(&granted, port_of(ask), __ATOMIC_RELAXED);
	if (!error || !shut_off(error))
		return 0;
	granted_port = __atomic_load_n(&granted, __ATOMIC_RELAXED);
	return granted_port && granted_port != port_of(ask);
}

static int may_do_without(const struct ask *ask, enum ask_end end, int error)
{
	int may = is_udp(ask) ? udp_may_do_without(ask, error) : tcp_may_do_without(ask, error);

	return may && end < ASK_ANSWERED;
}

/* Says what there is to say of the answer, and returns what the call does. */
static int settle(const struct ask *question, enum ask_end end, int error, struct say *say)
{
	int left_alone = may_do_without(question, end, error);

	if (env.debug)
		say_debug(question, end, error);
	if (error && !say->length)
		explain(question, end, error, left_alone, say);
	if (error && !env.warn && !left_alone) {
		say_print(say, question->fd);
		return real_fail(error);
	}
	say_print_once(say, question->fd);
	return 0;
}

static int claim(enum skl_kind kind, int fd)
{
	const struct ask question = {.env = &env, .instance = instance, .kind = kind, .fd = fd};
	struct say say;
	enum ask_end end;
	int error = -ask(&question, &say, &end);

	return settle(&question, end, error, &say);
}

/* 1: the share's socket is there, bound; 0: the program binds its own; -1 and errno. Not inlined: see above.
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
	if (result != 0 || !active || !is_internet(fd, SOCK_DGRAM) || option(fd, SO_PROTOCOL) != IPPROTO_UDP)
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
	protocol = option(fd, SO_PROTOCOL);
	if (protocol != IPPROTO_TCP && protocol != IPPROTO_MPTCP)
		return result;
	return claim(SKL_CLAIM_LISTEN, fd);
}
