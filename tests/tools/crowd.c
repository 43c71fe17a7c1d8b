// SPDX-License-Identifier: BSD-2-Clause
/*
 * A user who keeps the helper busy, and one who only wants something of it:
 *
 *   crowd hang|churn|half|status|claims|ranges SECONDS    asks in that way, as fast as the helper lets it
 *   crowd claim COUNT PAUSE_MS PID...                     claims for a new listener, COUNT times
 *
 *   hang    connects and says nothing, with all descriptors that it can have
 *   churn   connects and closes
 *   half    asks, and neither reads the answer nor closes
 *   status  asks for the status
 *   claims  claims a port for a listener, and another one the next time
 *   ranges  claims 100 ranges that overlap, for a new listener each time
 *
 * A flood prints "asked N ok N refused N" with how often it asked and what came of it. claim prints
 * "claims N ok N median US longest US work US": the times from connect() to the answer, and the most that the
 * processes PID have worked meanwhile.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "helper/wire.h"

#define HELD_MAX 12000 /* connections of hang and half */

static long asked, ok, refused;

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void die(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* A connection to the helper, or -1 where its queue is full for `ms`. */
static int dial(int ms)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = SKL_HELPER_SOCKET};
	struct timeval patience = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
	int sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (sock < 0)
		return -1;
	setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(sock, (struct sockaddr *)&to, sizeof(to)) == 0)
		return sock;
	if (errno != EAGAIN && errno != EINTR)
		die("connect");
	close(sock);
	return -1;
}

/* A request of this kind; text is "NAME=value", or NULL, and sock the socket it is for, or -1. 0 or -errno.
 */
static int ask_for(int conn, uint16_t kind, const char *text, int sock)
{
	size_t length = text ? strlen(text) + 1 : 0;
	struct skl_request head = {.magic = SKL_WIRE_MAGIC,
				   .version = SKL_WIRE_VERSION,
				   .kind = kind,
				   .length = (uint32_t)(sizeof(head) + length)};
	struct iovec parts[] = {{&head, sizeof(head)}, {(void *)text, length}};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	if (sock >= 0) {
		struct cmsghdr *c;

		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &sock, sizeof(int));
	}
	asked++;
	return sendmsg(conn, &message, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

/* What the helper decided, or -errno. */
static int answer(int conn)
{
	union {
		struct skl_reply head;
		char bytes[sizeof(struct skl_reply) + SKL_SAY_MAX];
	} reply;
	struct timeval patience = {.tv_sec = 10};
	ssize_t got;

	setsockopt(conn, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	got = recv(conn, &reply, sizeof(reply), 0);
	if (got < (ssize_t)sizeof(reply.head))
		return got < 0 ? -errno : -ECONNRESET;
	return -reply.head.error;
}

static int new_listener(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (sock < 0 || bind(sock, (struct sockaddr *)&any, sizeof(any)) < 0 || listen(sock, 1) < 0)
		die("listener");
	return sock;
}

static void count(int err)
{
	if (err)
		refused++;
	else
		ok++;
}

static void hang(void)
{
	static int open[HELD_MAX];
	static size_t n;
	int *place = &open[n++ % HELD_MAX];

	if (*place > 0)
		close(*place);
	*place = dial(100);
	if (*place < 0 && n % HELD_MAX > 100)
		n = 0; /* no descriptor is left: from the start again */
	asked++;
}

static void churn(void)
{
	close(dial(100));
	asked++;
}

static void half(void)
{
	static int open[HELD_MAX];
	static size_t n;
	int *place = &open[n++ % HELD_MAX];

	if (*place > 0)
		close(*place);
	*place = dial(100);
	if (*place < 0)
		n = 0;
	else
		count(ask_for(*place, SKL_STATUS, NULL, -1));
}

static void status(void)
{
	int conn = dial(100);

	if (conn < 0)
		return;
	if (ask_for(conn, SKL_STATUS, NULL, -1) == 0)
		count(answer(conn));
	close(conn);
}

static void claims(void)
{
	static int sock = -1;
	static unsigned int port;
	char text[40];
	int conn = dial(100);

	if (conn < 0)
		return;
	if (sock < 0)
		sock = new_listener();
	snprintf(text, sizeof(text), "SKL_PORTS=%u", 10000 + port++ % 20000);
	if (ask_for(conn, SKL_CLAIM_LISTEN, text, sock) == 0)
		count(answer(conn));
	close(conn);
}

static void ranges(void)
{
	char text[2000] = "SKL_PORTS=2000-50000";
	size_t length = strlen(text);
	int conn = dial(100), sock;

	if (conn < 0)
		return;
	for (int i = 1; i < 100; i++)
		length += (size_t)sprintf(text + length, ",%d-%d", 2000 + i, 50000 + i);
	sock = new_listener();
	if (ask_for(conn, SKL_CLAIM_LISTEN, text, sock) == 0)
		count(answer(conn));
	close(sock);
	close(conn);
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The CPU time of all these processes together. */
static uint64_t work_us(char **pids)
{
	uint64_t sum = 0;

	for (; *pids; pids++) {
		struct timespec time;
		clockid_t clock;

		if (clock_getcpuclockid(atoi(*pids), &clock) != 0 || clock_gettime(clock, &time) < 0)
			die(*pids);
		sum += (uint64_t)time.tv_sec * 1000000 + (uint64_t)time.tv_nsec / 1000;
	}
	return sum;
}

static int measure(int n, int pause_ms, char **pids)
{
	uint64_t *took = calloc((size_t)n, sizeof(*took)), most_work = 0;

	for (int i = 0; took && i < n; i++) {
		int sock = new_listener(), conn, err;
		uint64_t work = work_us(pids), start = now_us();

		conn = dial(10000);
		if (conn < 0)
			die("connect");
		/* a port that no socket of the flood gets from the kernel */
		err = ask_for(conn, SKL_CLAIM_LISTEN, "SKL_PORTS=61001", sock);
		if (!err)
			err = answer(conn);
		took[i] = now_us() - start;
		work = work_us(pids) - work;
		most_work = work > most_work ? work : most_work;
		count(err);
		if (err)
			fprintf(stderr, "crowd: claim: %s\n", strerror(-err));
		close(conn);
		close(sock);
		usleep((useconds_t)pause_ms * 1000);
	}
	if (!took || n < 1)
		return 1;
	qsort(took, (size_t)n, sizeof(*took), by_value);
	printf("claims %d ok %ld median %llu longest %llu work %llu\n", n, ok,
	       (unsigned long long)took[n / 2], (unsigned long long)took[n - 1],
	       (unsigned long long)most_work);
	free(took);
	return 0;
}

static const struct {
	const char *name;
	void (*ask)(void);
} floods[] = {
	{"hang", hang},	    {"churn", churn},	{"half", half},
	{"status", status}, {"claims", claims}, {"ranges", ranges},
};

int main(int argc, char **argv)
{
	struct rlimit limit;
	uint64_t end;

	if (argc >= 4 && strcmp(argv[1], "claim") == 0)
		return measure(atoi(argv[2]), atoi(argv[3]), argv + 4);
	if (argc != 3)
		return EINVAL;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	end = now_us() + (uint64_t)atoi(argv[2]) * 1000000;
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
		while (strcmp(argv[1], floods[i].name) == 0 && now_us() < end)
			floods[i].ask();
	}
	printf("asked %ld ok %ld refused %ld\n", asked, ok, refused);
	return asked ? 0 : EINVAL;
}
