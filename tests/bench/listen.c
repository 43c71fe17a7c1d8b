// SPDX-License-Identifier: BSD-2-Clause
/*
 * listen [N]: the median and the 95th percentile of what one listen() takes, in
 * microseconds, over N sockets one after the other; and how many sockets a
 * second came to listen and were closed. What it is compared with is the
 * environment's affair: run it with the shim and without.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double measure_one(const struct sockaddr_in *address)
{
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
	double took;

	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (sock < 0 || bind(sock, (const struct sockaddr *)address, sizeof(*address)) < 0) {
		perror("bind");
		exit(1);
	}
	took = now_us();
	if (listen(sock, 16) < 0) {
		perror("listen");
		exit(1);
	}
	took = now_us() - took;
	close(sock);
	return took;
}

int main(int argc, char **argv)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(20000), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int n = argc > 1 ? atoi(argv[1]) : 200;
	double start, *took = n > 0 ? calloc((size_t)n, sizeof(*took)) : NULL;

	if (!took) {
		fprintf(stderr, "usage: %s [N]\n", argv[0]);
		return 2;
	}
	start = now_us();
	for (int i = 0; i < n; i++)
		took[i] = measure_one(&address);
	start = now_us() - start;
	qsort(took, (size_t)n, sizeof(*took), by_value);
	printf("%.1f %.1f %.1f\n", took[n / 2], took[n * 95 / 100], n * 1e6 / start);
	free(took);
	return 0;
}
