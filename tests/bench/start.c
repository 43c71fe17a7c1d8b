// SPDX-License-Identifier: BSD-2-Clause
/*
 * start N SHIM PROGRAM [ARG...]: what it takes, in microseconds, to start the
 * program and wait for its end: plain, with the shim, and with the shim and
 * ports to ask for (of which a program that does not listen asks none).
 * They take turns; a line for each: round, name and figure, with tabs between.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#define WAYS 3

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double start_one(char **argv, char **environment)
{
	double start = now_us();
	int err, status;
	pid_t child;

	err = posix_spawn(&child, argv[0], NULL, NULL, argv, environment);
	if (err || waitpid(child, &status, 0) != child || status != 0) {
		fprintf(stderr, "start: %s: %s\n", argv[0], err ? strerror(err) : "ends with an error");
		exit(1);
	}
	return now_us() - start;
}

int main(int argc, char **argv)
{
	static const char *const names[WAYS] = {"plain", "with the shim", "with the shim and SKL_PORTS"};
	static char ports[] = "SKL_PORTS=7,77,777";
	char preload[4096], path[] = "PATH=/usr/bin:/bin";
	char *environments[WAYS][4] = {{path}, {path, preload}, {path, preload, ports}};
	int n = argc > 3 ? atoi(argv[1]) : 0;

	if (n < 1) {
		fprintf(stderr, "usage: %s N SHIM PROGRAM [ARG...]\n", argv[0]);
		return 2;
	}
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", argv[2]);
	for (int way = 0; way < WAYS; way++)
		start_one(argv + 3, environments[way]);
	for (int round = 0; round < n; round++) {
		for (int i = 0; i < WAYS; i++) {
			int way = (round + i) % WAYS;

			printf("%d\t%s\t%.2f\n", round, names[way], start_one(argv + 3, environments[way]));
		}
	}
	return 0;
}
