// SPDX-License-Identifier: BSD-2-Clause
#include "preload/share.h"

#include <asm/socket.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/tcp.h>
#include <stddef.h>

#include "preload/say.h"
#include "preload/sys.h"

#define PAUSE_MS 20
#define ATTEMPTS (ASK_SECONDS * 1000 / PAUSE_MS)

/*
 * The kernel would answer EFAULT to an address that cannot be read; so it is let have a look first. It copies
 * the signal set before it sees that there is no such operation.
 */
static int is_readable(const char *bytes, unsigned int length)
{
	const char *last = bytes + length - sizeof(__u64);

	return sys_sigprocmask(-1, (const __u64 *)bytes, NULL) == -EINVAL &&
	       sys_sigprocmask(-1, (const __u64 *)last, NULL) == -EINVAL;
}

int share_concerns(int fd, const void *address, unsigned int length, struct skl_join *join)
{
	const struct sockaddr_in6 *given = (const void *)join->address;
	int domain = sys_option(fd, SO_DOMAIN), protocol = sys_option(fd, SO_PROTOCOL);
	unsigned int least;

	if ((domain != AF_INET && domain != AF_INET6) || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP))
		return 0;
	least = domain == AF_INET ? sizeof(struct sockaddr_in) : 24; /* without the scope, as in RFC 2133 */
	if (length < least || !is_readable(address, least))
		return 0;
	join->length = length < sizeof(*given) ? length : sizeof(*given);
	if (join->length > least && !is_readable(address, join->length))
		return 0;
	__builtin_memcpy(join->address, address, join->length);
	/* the port is at one place in both families */
	return given->sin6_family == domain && given->sin6_port != 0;
}

/* Takes the place of `fd` with `received`, which is used up. Returns 1 or -errno. */
static int adopt(int fd, int received)
{
	int flags = sys_fcntl(fd, F_GETFL, 0), theirs = sys_fcntl(received, F_GETFL, 0);
	int cloexec = sys_fcntl(fd, F_GETFD, 0) & FD_CLOEXEC;
	int err = 0;

	/* It belongs to the description that all of the share use: only ever set, since somebody relies on
	 * it. */
	if (flags >= 0 && theirs >= 0 && (flags & ~theirs & O_NONBLOCK))
		err = sys_fcntl(received, F_SETFL, theirs | O_NONBLOCK);
	while (!err) {
		err = sys_dup3(received, fd, cloexec ? O_CLOEXEC : 0);
		if (err != -EINTR && err != -EBUSY) /* another thread is just opening a descriptor */
			break;
		err = 0;
	}
	sys_close(received);
	return err < 0 ? err : 1;
}

void share_pause(void)
{
	static const struct __kernel_old_timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};

	sys_sleep(&pause);
}

int share_join(const struct ask *question, struct say *say, enum ask_end *end)
{
	struct ask again = *question;
	int received, err;

	for (int i = 0;; i++) {
		again.received = &received;
		received = -1;
		err = ask(&again, say, end);
		/* the helper's word, not that of the socket to it */
		if (err != -EAGAIN || *end != ASK_ANSWERED || i == ATTEMPTS)
			break;
		share_pause();
	}
	if (!err && received >= 0)
		return adopt(question->fd, received);
	if (received >= 0)
		sys_close(received);
	return err == -EAGAIN && *end == ASK_ANSWERED ? -EADDRINUSE : err;
}

int share_backlog(int fd, int backlog)
{
	struct tcp_info info;
	unsigned int length = sizeof(info);

	if (sys_option(fd, SO_ACCEPTCONN) != 1 ||
	    sys_getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0)
		return backlog;
	/* of a listener this is how long its queue may get; a negative wish is the longest, as in the kernel
	 */
	return (unsigned int)backlog < info.tcpi_sacked ? (int)info.tcpi_sacked : backlog;
}
