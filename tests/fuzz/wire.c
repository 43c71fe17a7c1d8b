// SPDX-License-Identifier: BSD-2-Clause
/*
 * What comes over the helper's socket: server_serve() with everything from the kernel's side on, and what
 * decides about requests replaced.
 *
 * The first byte of the input chooses what is attached, the second whether the header is made right; the rest
 * is the message.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/claim.h"
#include "helper/datapath/listener.h"
#include "helper/detach.h"
#include "helper/rules/request.h"
#include "helper/server/parts.h"
#include "helper/status.h"

#define ATTACHED 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- in place of what decides ---- */

int claim(const struct claims *claims, const struct peer *peer, const struct skl_request *request,
	  const char *text, size_t length, int sock, struct say *s)
{
	struct received received;
	struct request wanted;
	int err;

	assert(request->length >= sizeof(*request) + length);
	assert(peer->uid == getuid());
	assert(sock < 0 || fcntl(sock, F_GETFD) == FD_CLOEXEC);
	if (sock < 0)
		return say_error(s, EBADF, "request", "no socket came with it");
	err = request_parse(text, length, &wanted, s);
	request_free(&wanted);
	if (!err) {
		err = received_read(sock, &received, s);
		received_close(&received);
	}
	return err;
}

int claim_join(const struct claims *claims, const struct peer *peer, const struct skl_request *request,
	       const char *body, size_t length, int sock, int *give, struct say *s)
{
	struct received received;
	struct skl_join how;
	int err;

	*give = -1;
	if (length < sizeof(how))
		return say_error(s, EBADMSG, "request", "no address came with it");
	memcpy(&how, body, sizeof(how));
	if (how.length > sizeof(how.address))
		return say_error(s, EBADMSG, "request", "its address is of %u bytes", how.length);
	err = claim(claims, peer, request, body + sizeof(how), length - sizeof(how), sock, s);
	if (err)
		return err;
	err = received_read_unbound(sock, how.address, how.length, &received, s);
	received_close(&received);
	*give = err ? -1 : fcntl(sock, F_DUPFD_CLOEXEC, 0);
	return err == -EALREADY ? 0 : err;
}

int status_memfd(struct spaces *spaces, struct sharing *sharing, const struct peer *peer)
{
	return memfd_create("fuzz", MFD_CLOEXEC);
}

struct claims server_claims(const struct server *s)
{
	return (struct claims){0};
}

int detach(struct spaces *spaces, const struct peer *peer, const char *text, size_t length, struct say *s)
{
	assert(length <= SKL_TEXT_MAX);
	return say_error(s, ESRCH, "detach", "%.*s", (int)length, text);
}

int server_expect(struct server *s, struct peer *peer, struct say *said)
{
	if (peer->pidfd >= 0)
		close(peer->pidfd);
	peer->pidfd = -1;
	return 0;
}

int server_trace(struct server *s, const struct peer *peer, const char *text, size_t length, int sock,
		 struct say *said)
{
	assert(length <= SKL_TEXT_MAX);
	return sock < 0 ? say_error(said, EBADF, "trace", "no socket came with it") : 0;
}

/* ---- the client ---- */

/* Of each kind one: a listener, a socket that is not bound, a connection of AF_UNIX, a pipe. Their numbers
 * are below all that is counted.
 */
#define KINDS 4
static int kinds[KINDS] = {-1};

static void make_kinds(void)
{
	int pair[2];

	kinds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert(kinds[0] >= 0 && listen(kinds[0], 1) == 0);
	assert(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	kinds[1] = pair[0];
	kinds[3] = socket(AF_INET6, SOCK_DGRAM, 0);
	assert(kinds[3] >= 0);
	assert(pipe(pair) == 0);
	kinds[2] = pair[0];
}

static void send_message(int to, struct iovec *part, size_t n, unsigned int kind)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(ATTACHED * sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = part, .msg_iovlen = 1};
	int fds[ATTACHED];

	for (size_t i = 0; i < n; i++)
		fds[i] = kinds[(kind + i) % KINDS];
	if (n) {
		struct cmsghdr *c = &control.align;

		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(n * sizeof(int));
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	}
	assert(sendmsg(to, &message, 0) == (ssize_t)part->iov_len);
}

/* What helper/wire.h says a reply is. */
static void check_reply(int from)
{
	struct {
		struct skl_reply head;
		char text[SKL_SAY_MAX + 1];
	} reply;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec part = {&reply, sizeof(reply)};
	struct msghdr message = {.msg_iov = &part,
				 .msg_iovlen = 1,
				 .msg_control = control.bytes,
				 .msg_controllen = sizeof(control.bytes)};
	ssize_t got = recvmsg(from, &message, MSG_DONTWAIT);
	struct cmsghdr *c = got < 0 ? NULL : CMSG_FIRSTHDR(&message);
	int fd;

	if (got <= 0)
		return; /* an empty message is none */
	assert(got >= (ssize_t)sizeof(reply.head) && reply.head.magic == SKL_WIRE_MAGIC);
	assert(reply.head.version == SKL_WIRE_VERSION && reply.head.length == (size_t)got);
	assert(reply.head.reserved == 0 && reply.head.error >= 0);
	assert(reply.head.error == 0 || got > (ssize_t)sizeof(reply.head));
	for (size_t i = 0; i < (size_t)got - sizeof(reply.head); i++)
		assert(reply.text[i] == '\n' || (reply.text[i] >= ' ' && reply.text[i] <= '~'));
	if (c) {
		assert(reply.head.error == 0 && c->cmsg_len == CMSG_LEN(sizeof(int)));
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
		close(fd);
	}
}

/* The lowest descriptor that is free: one that was lost is in its place. */
static int lowest_free(void)
{
	int fd = dup(0);

	assert(fd >= 0);
	close(fd);
	return fd;
}

static void make_right(struct skl_request *request, size_t size)
{
	request->magic = SKL_WIRE_MAGIC;
	request->version = SKL_WIRE_VERSION;
	request->kind %= SKL_TRACE + 2;
	request->length = (__u32)size;
	if (request->kind > SKL_CLAIM_ATTACH)
		request->pid = 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const size_t counts[] = {0, 1, 2, ATTACHED};
	struct iovec part;
	struct peer peer;
	int pair[2], free_before, tries = 0;
	char *copy;

	if (size < 2 || size - 2 > sizeof(struct skl_request) + sizeof(struct skl_join) + SKL_TEXT_MAX + 10)
		return 0;
	if (kinds[0] < 0)
		make_kinds();
	copy = malloc(size);
	assert(copy);
	memcpy(copy, data + 2, size - 2);
	part = (struct iovec){copy, size - 2};
	if (data[1] & 1 && part.iov_len >= sizeof(struct skl_request))
		make_right((struct skl_request *)copy, part.iov_len);
	free_before = lowest_free();
	assert(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	send_message(pair[0], &part, counts[data[0] & 3], data[0] >> 2);
	assert(peer_identify(pair[1], &peer) == 0);
	server_serve(NULL, pair[1], &peer);
	peer_close(&peer);
	check_reply(pair[0]);
	close(pair[0]);
	close(pair[1]);
	free(copy);
	/* a thread closes what may take long */
	while (lowest_free() != free_before && tries++ < 100000)
		sched_yield();
	assert(tries < 100000);
	return 0;
}
