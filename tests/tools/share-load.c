// SPDX-License-Identifier: BSD-2-Clause
/* Connects, asks, reads the answer and closes, many at a time and again and again, and counts what goes
 * wrong. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static const char usage[] =
	"usage: share-load [-n CONNECTIONS] [-s SECONDS] [-w MS] ADDRESS PORT\n"
	"Keeps CONNECTIONS (64) open, each for one question, until SECONDS (10) are over or SIGTERM comes; "
	"each waits MS\n"
	"(0) between one question and the next. Prints\n"
	"  ok N refused N cut N late N failed N servers N\n"
	"cut: reset or closed before an answer; late: no answer within 10 s; servers: different answers.\n";

/* A line for a server of ours, a request for one of HTTP. */
static const char question[] = "GET / HTTP/1.0\r\n\r\n";

static struct {
	atomic_ulong ok, refused, cut, late, failed;
} count;

static struct sockaddr_in6 to;
static socklen_t to_length;
static atomic_bool ended;
static int wait_ms;

static char answers[256][32];
static size_t n_answers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void note_answer(const char *said)
{
	size_t i = 0;

	pthread_mutex_lock(&lock);
	while (i < n_answers && strcmp(answers[i], said) != 0)
		i++;
	if (i == n_answers && n_answers < sizeof(answers) / sizeof(answers[0]))
		strcpy(answers[n_answers++], said);
	pthread_mutex_unlock(&lock);
}

static void note_error(int err)
{
	switch (err) {
	case ECONNREFUSED:
		count.refused++;
		break;
	case ECONNRESET:
	case EPIPE:
		count.cut++;
		break;
	case EAGAIN:
	case EINPROGRESS:
	case ETIMEDOUT:
		count.late++;
		break;
	default:
		if (count.failed++ == 0)
			fprintf(stderr, "share-load: %s\n", strerror(err));
	}
}

static void ask(int sock)
{
	char said[32];
	ssize_t n;

	if (connect(sock, (struct sockaddr *)&to, to_length) < 0 ||
	    send(sock, question, sizeof(question) - 1, MSG_NOSIGNAL) < 0) {
		note_error(errno);
		return;
	}
	n = recv(sock, said, sizeof(said) - 1, 0);
	if (n < 0) {
		note_error(errno);
	} else if (n == 0) {
		count.cut++;
	} else {
		said[n] = '\0';
		said[strcspn(said, "\n")] = '\0';
		note_answer(said);
		count.ok++;
	}
}

static void *work(void *argument)
{
	const struct timeval patience = {.tv_sec = 10};

	while (!ended) {
		int sock = socket(to.sin6_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (sock < 0) {
			note_error(errno);
			continue;
		}
		setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		ask(sock);
		close(sock);
		if (wait_ms)
			usleep((unsigned int)wait_ms * 1000);
	}
	return NULL;
}

static void set_target(const char *address, const char *port)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)&to;

	if (inet_pton(AF_INET6, address, &to.sin6_addr) == 1) {
		to.sin6_family = AF_INET6;
		to_length = sizeof(to);
	} else if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		to_length = sizeof(*v4);
	} else {
		fputs(usage, stderr);
		exit(2);
	}
	to.sin6_port = htons((uint16_t)atoi(port));
}

int main(int argc, char **argv)
{
	static pthread_t threads[1024];
	struct timespec patience = {.tv_sec = 10};
	int connections = 64, c;
	sigset_t end;

	while ((c = getopt(argc, argv, "n:s:w:")) != -1) {
		if (c == 'n')
			connections = atoi(optarg);
		else if (c == 's')
			patience.tv_sec = atoi(optarg);
		else if (c == 'w')
			wait_ms = atoi(optarg);
		else
			optind = argc;
	}
	if (argc - optind != 2 || connections < 1 || connections > 1024) {
		fputs(usage, stderr);
		return 2;
	}
	set_target(argv[optind], argv[optind + 1]);
	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	for (int i = 0; i < connections; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	sigtimedwait(&end, NULL, &patience);
	ended = true;
	for (int i = 0; i < connections; i++)
		pthread_join(threads[i], NULL);
	printf("ok %lu refused %lu cut %lu late %lu failed %lu servers %zu\n", count.ok, count.refused,
	       count.cut, count.late, count.failed, n_answers);
	return 0;
}
