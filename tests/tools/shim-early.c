// SPDX-License-Identifier: BSD-2-Clause
/* Listens before any library's constructor has run, and once more when all have. */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

static int result = -2;

static int listen_somewhere(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return bind(sock, (struct sockaddr *)&a, sizeof(a)) < 0 ? -1 : listen(sock, 1);
}

static void early(void)
{
	result = listen_somewhere();
}

__attribute__((section(".preinit_array"), used)) static void (*const first)(void) = early;

int main(void)
{
	int failed, failed_errno;

	printf("early %d\n", result);
	errno = 0;
	failed = listen(-1, 1);
	failed_errno = errno;
	printf("failed %d errno %d\n", failed, failed_errno);
	printf("late %d\n", listen_somewhere());
	return 0;
}
