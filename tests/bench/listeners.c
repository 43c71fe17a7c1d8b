// SPDX-License-Identifier: BSD-2-Clause
/*
 * listeners SHIM HELPER N FILE: N listening sockets in one process, each covered as if
 * another program had made it, with an extra port of its own. Then it makes the
 * file, and stays.
 *
 * A program's variables are read once, so each listen() is made by a process
 * with the shim that has inherited the socket, and ends.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN_PORTS   2000
#define EXTRA_PORTS 10000

_Noreturn static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int bound_socket(unsigned int port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int sock = socket(AF_INET, SOCK_STREAM, 0); /* to be inherited */

	if (sock < 0)
		die("socket");
	if (bind(sock, (struct sockaddr *)&at, sizeof(at)) < 0)
		die("bind");
	return sock;
}

static void listen_in_child(char **argv, int sock, unsigned int port)
{
	char preload[4096], helper[4096], ports[32], number[16], path[] = "PATH=/usr/bin:/bin";
	char *environment[] = {path, preload, helper, ports, NULL};
	char *arguments[] = {argv[0], number, NULL};
	int status, err;
	pid_t child;

	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", argv[1]);
	snprintf(helper, sizeof(helper), "SKL_HELPER=%s", argv[2]);
	snprintf(ports, sizeof(ports), "SKL_PORTS=%u", port);
	snprintf(number, sizeof(number), "%d", sock);
	err = posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environment);
	if (err || waitpid(child, &status, 0) != child || status != 0) {
		fprintf(stderr, "listeners: port %u: %s\n", port, err ? strerror(err) : "not covered");
		exit(1);
	}
}

int main(int argc, char **argv)
{
	int n = argc == 5 ? atoi(argv[3]) : 0;
	struct rlimit limit = {.rlim_cur = n + 64, .rlim_max = n + 64};
	FILE *file;

	if (argc == 2)
		return listen(atoi(argv[1]), 16) < 0;
	if (n < 1 || n > 8000) {
		fprintf(stderr, "usage: %s SHIM HELPER N FILE\n", argv[0]);
		return 2;
	}
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		die("RLIMIT_NOFILE");
	for (int i = 0; i < n; i++)
		listen_in_child(argv, bound_socket(OWN_PORTS + i), EXTRA_PORTS + i);
	file = fopen(argv[4], "w");
	if (!file || fclose(file) < 0)
		die(argv[4]);
	for (;;)
		pause();
}
