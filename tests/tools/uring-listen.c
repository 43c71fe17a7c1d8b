// SPDX-License-Identifier: BSD-2-Clause
/*
 * uring-listen PORT: binds and listens by io_uring (Linux 6.11), so neither a library nor a filter of system
 * calls sees it; then tells each client which port it reached. Exit status 95 (EOPNOTSUPP) where the kernel
 * cannot.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* from linux/io_uring.h of Linux 6.11 */
#define OP_BIND	  56
#define OP_LISTEN 57

struct ring {
	int fd;
	struct io_uring_params params;
	char *shared; /* both rings */
	struct io_uring_sqe *sqe;
};

static int ring_make(struct ring *r)
{
	size_t size;

	r->fd = (int)syscall(SYS_io_uring_setup, 1, &r->params);
	if (r->fd < 0)
		return -errno;
	size = r->params.cq_off.cqes + r->params.cq_entries * sizeof(struct io_uring_cqe);
	r->shared = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
			 IORING_OFF_SQ_RING);
	r->sqe = mmap(NULL, sizeof(*r->sqe), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, r->fd,
		      IORING_OFF_SQES);
	return r->shared == MAP_FAILED || r->sqe == MAP_FAILED ? -errno : 0;
}

static unsigned int *word(struct ring *r, uint32_t offset)
{
	return (unsigned int *)(r->shared + offset);
}

/* One operation, and its result. */
static int ring_do(struct ring *r, const struct io_uring_sqe *sqe)
{
	unsigned int *tail = word(r, r->params.sq_off.tail), *head = word(r, r->params.cq_off.head);
	const struct io_uring_cqe *cqes = (const void *)(r->shared + r->params.cq_off.cqes);
	int result;

	*r->sqe = *sqe;
	word(r, r->params.sq_off.array)[0] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -errno;
	result = cqes[*head & (r->params.cq_entries - 1)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return result;
}

int main(int argc, char **argv)
{
	struct sockaddr_in6 address = {.sin6_family = AF_INET6,
				       .sin6_port = htons(argc > 1 ? atoi(argv[1]) : 0)};
	const int sock = socket(AF_INET6, SOCK_STREAM, 0);
	const struct io_uring_sqe bind_it = {.opcode = OP_BIND,
					     .fd = sock,
					     .addr = (uint64_t)(uintptr_t)&address,
					     .addr2 = sizeof(address)},
				  listen_it = {.opcode = OP_LISTEN, .fd = sock, .len = 16};
	struct ring r = {0};
	int err = ring_make(&r), client;

	if (!err)
		err = ring_do(&r, &bind_it);
	if (!err)
		err = ring_do(&r, &listen_it);
	if (err)
		return err == -EINVAL ? EOPNOTSUPP : -err;
	while ((client = accept(sock, NULL, NULL)) >= 0) {
		socklen_t length = sizeof(address);

		getsockname(client, (struct sockaddr *)&address, &length);
		dprintf(client, "uring-listen reached port %d\n", ntohs(address.sin6_port));
		close(client);
	}
	return errno;
}
