// SPDX-License-Identifier: BSD-2-Clause
#include "preload/settle.h"

#include <asm/socket.h>
#include <linux/in6.h>

#include "preload/env.h"
#include "preload/real.h"
#include "preload/root.h"
#include "preload/say.h"
#include "preload/sys.h"
#include "preload/why.h"

static int is_udp(const struct ask *ask)
{
	return ask->kind == SKL_CLAIM_BIND ||
	       (ask->kind == SKL_CLAIM_JOIN && sys_option(ask->fd, SO_TYPE) == SOCK_DGRAM);
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

/* Not inlined, as below: its large frame is gone again before more stack is needed. */
__attribute__((noinline)) static void say_debug(const struct ask *ask, enum ask_end end, int error)
{
	char line[256];
	struct text text = {.at = line, .end = line + sizeof(line) - 1};

	text_add(&text, SAY_PREFIX);
	add_socket(&text, ask);
	text_add(&text, end < ASK_NO_CONNECTION ? ": could not ask " : ": asked ");
	text_add(&text, ask->env->helper);
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

int settle(const struct ask *question, enum ask_end end, int error, struct say *say)
{
	int left_alone = may_do_without(question, end, error);

	if (question->env->debug)
		say_debug(question, end, error);
	if (error && !say->length)
		explain(question, end, error, left_alone, say);
	if (error && !question->env->warn && !left_alone) {
		say_print(say, question->fd);
		return real_fail(error);
	}
	say_print_once(say, question->fd);
	return 0;
}
