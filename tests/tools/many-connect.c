// SPDX-License-Identifier: BSD-2-Clause
/*
 * Many connections to servers that say who they are (many-listen, srv-listen):
 *
 *   many-connect [-s] COUNT TARGET...
 *
 * Makes COUNT connections, one after the other, to the targets in turn, reads a
 * line from each up to its end, and resets it, so that nothing is left of it (and
 * not before: the server's end would come to nobody, and its answer would be one
 * more packet without a connection). A target is
 * ADDRESS[/BITS]:PORT[-PORT][=WHO]: a random address and port of these, where the
 * line must end with "reached ADDRESS port PORT" and have WHO as a word.
 *
 * Prints how many connections came to what: "ok 997 refused 1 lost 1 silent 0
 * wrong 1", where lost ones were made and then ended without a word. With -s a line for each server follows:
 * its process (the first word that is a number), and how many it had. The exit status is 0 when all are ok.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MOST_TARGETS 16384
#define MOST_SERVERS 256

enum outcome { OK, REFUSED, LOST, SILENT, WRONG, N_OUTCOMES };

static const char *const names[] = {"ok", "refused", "lost", "silent", "wrong"};

static struct target {
	uint32_t address, host_bits; /* in host byte order */
	uint16_t first, last;
	char who[32];
} targets[MOST_TARGETS];

static struct server {
	int pid;
	long connections;
} servers[MOST_SERVERS];

static size_t n_targets, n_servers;

static int parse_target(const char *text, struct target *t)
{
	char address[INET_ADDRSTRLEN] = "";
	struct in_addr parsed;
	unsigned int bits = 32, first, last;
	const char *rest = strchr(text, ':'), *slash = strchr(text, '/'), *end = slash ? slash : rest;
	int got;

	if (!rest || end - text >= (int)sizeof(address) || n_targets == MOST_TARGETS)
		return -EINVAL;
	memcpy(address, text, (size_t)(end - text));
	if (inet_pton(AF_INET, address, &parsed) != 1 || (slash && sscanf(slash, "/%u", &bits) != 1))
		return -EINVAL;
	got = sscanf(rest, ":%u-%u", &first, &last);
	if (got < 1 || bits < 1 || bits > 32)
		return -EINVAL;
	t->address = ntohl(parsed.s_addr);
	t->host_bits = (uint32_t)((1ull << (32 - bits)) - 1);
	t->first = (uint16_t)first;
	t->last = (uint16_t)(got == 2 ? last : first);
	rest = strchr(rest, '=');
	snprintf(t->who, sizeof(t->who), "%s", rest ? rest + 1 : "");
	return t->last < t->first ? -EINVAL : 0;
}

static void count_server(const char *line)
{
	const char *digits = strpbrk(line, "0123456789");
	int pid = digits ? atoi(digits) : 0;
	size_t i = 0;

	while (i < n_servers && servers[i].pid != pid)
		i++;
	if (i == MOST_SERVERS)
		return;
	if (i == n_servers)
		servers[n_servers++].pid = pid;
	servers[i].connections++;
}

/* Is `who` one of the words of the line? */
static bool has_word(const char *line, const char *who)
{
	size_t length = strlen(who);

	for (const char *at = line; (at = strstr(at, who)); at++) {
		if ((at == line || at[-1] == ' ') && strchr(" :\n", at[length]))
			return true;
	}
	return length == 0;
}

static enum outcome judge(const char *line, const struct sockaddr_in *to, const struct target *t)
{
	char expected[64], address[INET_ADDRSTRLEN];
	size_t length = strlen(line), tail;

	inet_ntop(AF_INET, &to->sin_addr, address, sizeof(address));
	tail = (size_t)snprintf(expected, sizeof(expected), "reached %s port %u\n", address,
				ntohs(to->sin_port));
	if (length < tail || strcmp(line + length - tail, expected) != 0 || !has_word(line, t->who)) {
		fprintf(stderr, "many-connect: %s says: %s", expected, line);
		return WRONG;
	}
	count_server(line);
	return OK;
}

static enum outcome outcome_of(int error)
{
	switch (error) {
	case ECONNREFUSED:
		return REFUSED;
	case ECONNRESET:
	case EPIPE:
		return LOST;
	default:
		return SILENT;
	}
}

static enum outcome talk(int sock, const struct target *t)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)(t->first + random() % (t->last - t->first + 1))),
		.sin_addr.s_addr = htonl(t->address | ((uint32_t)random() & t->host_bits)),
	};
	char line[200];
	size_t n = 0;

	if (connect(sock, (struct sockaddr *)&to, sizeof(to)) < 0)
		return outcome_of(errno);
	while (n < sizeof(line) - 1) {
		ssize_t got = recv(sock, line + n, sizeof(line) - 1 - n, 0);

		if (got < 0)
			return outcome_of(errno);
		if (got == 0)
			break;
		n += (size_t)got;
	}
	line[n] = '\0';
	if (n == 0)
		return LOST;
	return judge(line, &to, t);
}

static enum outcome connect_once(const struct target *t)
{
	const struct timeval patience = {.tv_sec = 5};
	const struct linger reset = {.l_onoff = 1};
	int sock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	enum outcome outcome;

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		exit(EINVAL);
	outcome = talk(sock, t);
	close(sock);
	return outcome;
}

int main(int argc, char **argv)
{
	long outcomes[N_OUTCOMES] = {0}, count;
	bool spread = argc > 1 && strcmp(argv[1], "-s") == 0;

	if (argc < 3 + spread)
		return EINVAL;
	count = atol(argv[1 + spread]);
	for (int i = 2 + spread; i < argc; i++, n_targets++) {
		if (parse_target(argv[i], &targets[n_targets]) < 0)
			return EINVAL;
	}
	srandom((unsigned int)getpid());
	for (long i = 0; i < count; i++)
		outcomes[connect_once(&targets[(size_t)i % n_targets])]++;
	for (int i = 0; i < N_OUTCOMES; i++)
		printf("%s %ld%s", names[i], outcomes[i], i + 1 < N_OUTCOMES ? " " : "\n");
	for (size_t i = 0; spread && i < n_servers; i++)
		printf("%d %ld\n", servers[i].pid, servers[i].connections);
	return outcomes[OK] == count ? 0 : 1;
}
