// SPDX-License-Identifier: BSD-2-Clause
#include "preload/ask.h"

#include <asm/socket.h>
#include <linux/un.h>
#include <stddef.h>

#include "preload/env.h"
#include "preload/say.h"
#include "preload/sys.h"

#define RETRY_MS  20
#define ERROR_MAX 4095 /* the kernel's own limit */

static __u64 now_ms(void)
{
	struct __kernel_old_timespec now = {0};

	sys_clock(&now);
	return (__u64)now.tv_sec * 1000 + (__u64)(now.tv_nsec / 1000000);
}

/*
 * Lets the next call on `sock` wait until the deadline and no longer. Asked
 * anew before every attempt: signals may interrupt us as often as they like,
 * they do not buy time.
 */
static int wait_until(int sock, int option, __u64 deadline)
{
	__u64 now = now_ms();
	struct __kernel_old_timeval span;
	__u32 left;

	if (now >= deadline)
		return -ETIMEDOUT;
	left = (__u32)(deadline - now);
	span.tv_sec = (long)(left / 1000);
	span.tv_usec = (long)(left % 1000 * 1000);
	return sys_setsockopt(sock, SOL_SOCKET, option, &span, sizeof(span));
}

static int connect_until(int sock, const struct sockaddr_un *to, __u64 deadline)
{
	int err;

	do {
		err = wait_until(sock, SO_SNDTIMEO_OLD, deadline);
		if (!err)
			err = sys_connect(sock, to, sizeof(*to));
	} while (err == -EINTR);
	return err == -EAGAIN ? -ETIMEDOUT : err;
}

/* Tries until there is a helper or patience ends. *deadline becomes the time by which it must have answered.
 */
static int find_helper(int sock, const struct sockaddr_un *to, __u64 wait_ms, __u64 *deadline)
{
	static const struct __kernel_old_timespec pause = {.tv_nsec = RETRY_MS * 1000000L};
	__u64 now = now_ms();
	__u64 patience = now + wait_ms;

	for (;; now = now_ms()) {
		int err;

		*deadline = now + ASK_SECONDS * 1000ULL;
		err = connect_until(sock, to, *deadline);
		if ((err != -ENOENT && err != -ECONNREFUSED) || now >= patience)
			return err;
		sys_sleep(&pause);
	}
}

static int send_request(int sock, const struct ask *ask, __u64 deadline)
{
	const __u32 join_length = ask->join ? (__u32)sizeof(*ask->join) : 0;
	struct skl_request head = {
		.magic = SKL_WIRE_MAGIC,
		.version = SKL_WIRE_VERSION,
		.kind = (__u16)ask->kind,
		.length = (__u32)sizeof(head) + join_length + ask->env->length,
		.instance = ask->instance,
	};
	const struct iovec text = {.iov_base = (void *)ask->env->text, .iov_len = ask->env->length};
	struct iovec parts[3] = {
		{.iov_base = &head, .iov_len = sizeof(head)},
		{.iov_base = (void *)ask->join, .iov_len = join_length},
	};
	const unsigned long n_parts = ask->join ? 3 : 2;
	struct sys_rights rights = {
		.length = offsetof(struct sys_rights, fd) + sizeof(int),
		.level = SOL_SOCKET,
		.type = SCM_RIGHTS,
		.fd = ask->fd,
	};
	const struct sys_message message = {
		.parts = parts,
		.n_parts = n_parts,
		.control = &rights,
		.control_length = sizeof(rights),
	};
	long sent;

	parts[n_parts - 1] = text;
	do {
		sent = wait_until(sock, SO_SNDTIMEO_OLD, deadline);
		if (!sent)
			sent = sys_sendmsg(sock, &message, MSG_NOSIGNAL);
	} while (sent == -EINTR);
	if (sent == -EPIPE)
		return -ECONNRESET;
	if (sent == -EAGAIN)
		return -ETIMEDOUT;
	return sent < 0 ? (int)sent : 0;
}

/*
 * Where no descriptor is expected there is no room for one, and the kernel drops whatever is attached. With
 * room for one it drops any further ones.
 */
static long receive_reply(int sock, struct skl_reply *head, struct say *say, __u64 deadline,
			  unsigned int *flags, int *received)
{
	struct sys_rights rights = {0};
	struct iovec parts[] = {
		{.iov_base = head, .iov_len = sizeof(*head)},
		{.iov_base = say_text(say), .iov_len = SKL_SAY_MAX},
	};
	struct sys_message message = {
		.parts = parts,
		.n_parts = 2,
		.control = received ? &rights : NULL,
		.control_length = received ? offsetof(struct sys_rights, fd) + sizeof(int) : 0,
	};
	long got;

	do {
		got = wait_until(sock, SO_RCVTIMEO_OLD, deadline);
		if (!got)
			got = sys_recvmsg(sock, &message, received ? MSG_CMSG_CLOEXEC : 0);
	} while (got == -EINTR);
	*flags = message.flags;
	if (got >= 0 && received && message.control_length && rights.level == SOL_SOCKET &&
	    rights.type == SCM_RIGHTS)
		*received = rights.fd;
	if (got == 0)
		return -ECONNRESET;
	return got == -EAGAIN ? -ETIMEDOUT : got;
}

/* Returns what the helper decided, or -EPROTO or -EPROTONOSUPPORT with *end saying that it is not its word.
 */
static int read_reply(const struct skl_reply *head, long got, unsigned int flags, const int *received,
		      struct say *say, enum ask_end *end)
{
	*end = ASK_BAD_REPLY;
	if (got < (long)sizeof(*head) || head->magic != SKL_WIRE_MAGIC)
		return -EPROTO;
	if (head->version != SKL_WIRE_VERSION) {
		/* The start of a reply and its text are the same in every version, and it knows better why
		 * not. */
		if (head->error == 0)
			return -EPROTONOSUPPORT;
	} else if ((flags & MSG_TRUNC) || head->length != (__u32)got) {
		return -EPROTO;
	} else if (received && (flags & MSG_CTRUNC) && *received < 0) {
		*end = ASK_NO_SOCKET; /* the kernel found no place for what was attached */
		return -EMFILE;
	}
	if (head->error < 0 || head->error > ERROR_MAX)
		return -EPROTO;
	say->length = (unsigned int)got - (unsigned int)sizeof(*head);
	*end = ASK_ANSWERED;
	return -head->error;
}

static int talk(int sock, const struct ask *ask, __u64 deadline, struct say *say, enum ask_end *end)
{
	struct skl_reply head = {0};
	unsigned int flags = 0;
	long got;

	*end = ASK_NO_REPLY;
	got = send_request(sock, ask, deadline);
	if (!got)
		got = receive_reply(sock, &head, say, deadline, &flags, ask->received);
	return got < 0 ? (int)got : read_reply(&head, got, flags, ask->received, say, end);
}

/* Not in the place of a standard stream that the program has closed: another thread may be printing there. */
static int open_socket(void)
{
	int low = sys_socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	int sock;

	if (low < 0 || low > 2)
		return low;
	sock = sys_fcntl(low, F_DUPFD_CLOEXEC, 3);
	if (sock < 0)
		return low;
	sys_close(low);
	return sock;
}

int ask(const struct ask *ask, struct say *say, enum ask_end *end)
{
	struct text path;
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	__u64 deadline;
	int sock, err;

	say->length = 0;
	*end = ASK_NOT_SENT;
	if (ask->env->too_long)
		return -E2BIG;

	*end = ASK_NO_PATH;
	path.at = to.sun_path;
	path.end = to.sun_path + sizeof(to.sun_path);
	text_add(&path, ask->env->helper);
	if (path.at == path.end)
		return -ENAMETOOLONG;

	*end = ASK_NO_SOCKET;
	sock = open_socket();
	if (sock < 0)
		return sock;

	*end = ASK_NO_CONNECTION;
	err = find_helper(sock, &to, ask->env->wait_ms, &deadline);
	if (!err)
		err = talk(sock, ask, deadline, say, end);
	sys_close(sock);
	return err;
}
