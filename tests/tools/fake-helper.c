// SPDX-License-Identifier: BSD-2-Clause
/* A helper that answers from a script and writes down what it was asked, to test those who ask. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper/wire.h"

static const char usage[] =
	"usage: fake-helper SOCKET LOG ANSWER...\n"
	"The n-th request gets the n-th ANSWER, later ones the last:\n"
	"  ok[:TEXT]  error:N[:TEXT]  version:V:N[:TEXT]  descriptor (ok, with one attached)\n"
	"  silent  hangup (after reading)  vanish (end instead of reading)  deaf (accept nothing)\n"
	"  garbage  short  empty  oversized  miscounted\n"
	"LOG gets a line for each request, LOG.text the SKL_* text of the last one.\n";

static const char *log_path;

static void die(const char *what)
{
	fprintf(stderr, "fake-helper: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int number(int fd, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, option, &value, &length) == 0 ? value : -1;
}

/* "inet/stream/listening/7777" */
static void log_socket(FILE *log, int fd)
{
	struct sockaddr_in6 address = {0};
	socklen_t length = sizeof(address);
	int domain = number(fd, SO_DOMAIN), type = number(fd, SO_TYPE);

	getsockname(fd, (struct sockaddr *)&address, &length);
	fprintf(log, " socket=%s/%s/%s/%d",
		domain == AF_INET    ? "inet"
		: domain == AF_INET6 ? "inet6"
				     : "other",
		type == SOCK_STREAM  ? "stream"
		: type == SOCK_DGRAM ? "dgram"
				     : "other",
		number(fd, SO_ACCEPTCONN) == 1 ? "listening" : "idle", ntohs(address.sin6_port));
}

static void log_request(const char *bytes, size_t got, const int *fds, size_t n_fds)
{
	struct skl_request head = {0};
	char text_path[4096];
	FILE *log = fopen(log_path, "a"), *text;

	snprintf(text_path, sizeof(text_path), "%s.text", log_path);
	text = fopen(text_path, "w");
	if (!log || !text)
		die(log_path);
	memcpy(&head, bytes, got < sizeof(head) ? got : sizeof(head));
	if (got > sizeof(head))
		fwrite(bytes + sizeof(head), 1, got - sizeof(head), text);
	fclose(text);

	fprintf(log, "magic=%s version=%u kind=%u length=%s pid=%d instance=%016llx fds=%zu",
		head.magic == SKL_WIRE_MAGIC ? "good" : "bad", head.version, head.kind,
		head.length == got ? "good" : "bad", head.pid, (unsigned long long)head.instance, n_fds);
	for (size_t i = 0; i < n_fds; i++)
		log_socket(log, fds[i]);
	fputc('\n', log);
	fclose(log);
}

static void read_request(int conn)
{
	static char bytes[sizeof(struct skl_request) + 2 * SKL_TEXT_MAX];
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(8 * sizeof(int))];
	} control;
	struct iovec part = {.iov_base = bytes, .iov_len = sizeof(bytes)};
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t got = recvmsg(conn, &message, MSG_CMSG_CLOEXEC);
	int fds[8];
	size_t n = 0;

	if (got < 0)
		die("recvmsg");
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS) {
			n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			memcpy(fds, CMSG_DATA(c), n * sizeof(int));
		}
	}
	log_request(bytes, (size_t)got, fds, n);
	for (size_t i = 0; i < n; i++)
		close(fds[i]);
}

static void reply(int conn, int version, int error, const char *text, long length_off_by, int fd)
{
	struct skl_reply head = {
		.magic = SKL_WIRE_MAGIC,
		.version = (__u16)version,
		.length = (__u32)((long)(sizeof(head) + strlen(text)) + length_off_by),
		.error = error,
	};
	struct iovec parts[] = {
		{.iov_base = &head, .iov_len = sizeof(head)},
		{.iov_base = (void *)text, .iov_len = strlen(text)},
	};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

	if (fd >= 0) {
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
	}
	if (sendmsg(conn, &message, MSG_NOSIGNAL) < 0)
		die("sendmsg");
}

/* What follows the n-th colon, or "". */
static const char *field(const char *answer, int n)
{
	while (n-- && answer) {
		answer = strchr(answer, ':');
		answer += answer != NULL;
	}
	return answer ? answer : "";
}

static int is(const char *answer, const char *word)
{
	return strncmp(answer, word, strlen(word)) == 0 && strchr(":", answer[strlen(word)]);
}

static void answer_request(int conn, const char *answer)
{
	static char much[sizeof(struct skl_reply) + 4 * SKL_SAY_MAX];

	memset(much, 'x', sizeof(much) - 1);
	if (is(answer, "vanish"))
		exit(0);
	read_request(conn);
	if (is(answer, "ok"))
		reply(conn, SKL_WIRE_VERSION, 0, field(answer, 1), 0, -1);
	else if (is(answer, "error"))
		reply(conn, SKL_WIRE_VERSION, atoi(field(answer, 1)), field(answer, 2), 0, -1);
	else if (is(answer, "version"))
		reply(conn, atoi(field(answer, 1)), atoi(field(answer, 2)), field(answer, 3), 0, -1);
	else if (is(answer, "descriptor"))
		reply(conn, SKL_WIRE_VERSION, 0, "", 0, 1);
	else if (is(answer, "oversized"))
		reply(conn, SKL_WIRE_VERSION, 0, much, SKL_SAY_MAX - (long)strlen(much), -1);
	else if (is(answer, "miscounted"))
		reply(conn, SKL_WIRE_VERSION, 0, "", 1, -1);
	else if (is(answer, "garbage"))
		send(conn, much, 64, MSG_NOSIGNAL);
	else if (is(answer, "short"))
		send(conn, &(__u32){SKL_WIRE_MAGIC}, 4, MSG_NOSIGNAL);
	else if (is(answer, "empty"))
		send(conn, "", 0, MSG_NOSIGNAL);
	else if (is(answer, "silent"))
		recv(conn, much, sizeof(much), 0); /* returns when the other side gives up */
	else if (!is(answer, "hangup"))
		fprintf(stderr, "fake-helper: what is '%s'?\n%s", answer, usage), exit(2);
}

/* With a backlog of 0 one connection waits, and the next has to wait for that. */
static void stay_deaf(const struct sockaddr_un *at)
{
	int filler = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (connect(filler, (const struct sockaddr *)at, sizeof(*at)) < 0)
		die("connect");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int sock, deaf;

	if (argc < 4 || strlen(argv[1]) > sizeof(at.sun_path) - 5) {
		fputs(usage, stderr);
		return 2;
	}
	log_path = argv[2];
	deaf = is(argv[3], "deaf");

	/* Under its final name the socket appears only when it can be connected to. */
	snprintf(at.sun_path, sizeof(at.sun_path), "%s.new", argv[1]);
	sock = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (sock < 0 || bind(sock, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(sock, deaf ? 0 : 64) < 0)
		die(at.sun_path);
	if (rename(at.sun_path, argv[1]) < 0)
		die(argv[1]);
	if (deaf) {
		strcpy(at.sun_path, argv[1]);
		stay_deaf(&at);
	}
	for (int i = 3;; i += i + 1 < argc) {
		int conn = accept4(sock, NULL, NULL, SOCK_CLOEXEC);

		if (conn < 0)
			die("accept");
		answer_request(conn, argv[i]);
		close(conn);
	}
}
