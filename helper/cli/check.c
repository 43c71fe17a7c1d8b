// SPDX-License-Identifier: BSD-2-Clause
/*
 * The claim of a program that is not there yet takes a socket such as it would
 * have: one is made here, which is bound and listens for the moment that the
 * answer takes.
 */
#include "helper/cli/check.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/cli/client.h"
#include "helper/cli/skl.h"
#include "helper/cli/terminal.h"
#include "helper/rules/request.h"

union name {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* Which of the two does the request speak of? Where it names neither, TCP. */
static bool asks_for(const struct request *r, uint8_t protocol)
{
	bool named = false, other = false;

	for (size_t i = 0; i < r->n_only; i++) {
		named |= r->only[i].protocol == protocol;
		other |= r->only[i].protocol && r->only[i].protocol != protocol;
	}
	for (size_t i = 0; i < r->n_ports + r->n_binds && !r->n_only; i++) {
		uint8_t p = i < r->n_ports ? r->ports[i].protocol : r->binds[i - r->n_ports].ports.protocol;

		named |= p == protocol || (!p && protocol == IPPROTO_TCP);
		other |= p && p != protocol;
	}
	return named || (protocol == IPPROTO_TCP && !other);
}

/* Every address of both families, or of IPv4 where the kernel has no other. */
static int open_socket(const struct address_pattern *at, int type, int *family)
{
	int fd;

	*family = at->what == ADDRESS_EXACT ? at->address.family : AF_INET6;
	fd = socket(*family, type | SOCK_CLOEXEC, 0);
	if (fd < 0 && errno == EAFNOSUPPORT && at->what != ADDRESS_EXACT) {
		*family = AF_INET;
		fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	}
	return fd < 0 ? -errno : fd;
}

static socklen_t make_name(const struct address_pattern *at, int family, union name *name)
{
	const struct address *a = &at->address;

	memset(name, 0, sizeof(*name));
	name->any.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		name->v4.sin_port = htons(a->port);
		if (at->what == ADDRESS_EXACT)
			memcpy(&name->v4.sin_addr, a->bytes, 4);
		return sizeof(name->v4);
	}
	name->v6.sin6_port = htons(a->port);
	if (at->what == ADDRESS_EXACT)
		memcpy(&name->v6.sin6_addr, a->bytes, 16);
	return sizeof(name->v6);
}

/* Returns a socket as the program's would be, or -errno. */
static int make_socket(const struct address_pattern *at, uint8_t protocol)
{
	const int on = 1, off = 0;
	int type = protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM, family, fd, err;
	union name name;
	socklen_t length;

	fd = open_socket(at, type, &family);
	if (fd < 0)
		return fd;
	if (protocol == IPPROTO_TCP) /* as servers do, for what is left of connections */
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	length = make_name(at, family, &name);
	err = bind(fd, &name.any, length) < 0 ? -errno : 0;
	if (!err && protocol == IPPROTO_TCP && listen(fd, 1) < 0)
		err = -errno;
	if (!err)
		return fd;
	close(fd);
	return err;
}

static void print(const char *protocol, bool granted, const char *text)
{
	char line[SKL_SAY_MAX + 1];

	printf("%s: %s\n", protocol, granted ? "granted" : "refused");
	while (*text) {
		size_t length = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		fputs("  ", stdout);
		terminal_wrap(2, line, terminal_width());
		text += length + (text[length] == '\n');
	}
}

static int ask(const struct address_pattern *at, uint8_t protocol, const char *text, size_t length)
{
	const char *name = protocol == IPPROTO_TCP ? "tcp" : "udp";
	struct client_answer answer;
	int fd = make_socket(at, protocol), err;
	char why[100];

	if (fd < 0) {
		snprintf(why, sizeof(why), "port %u: %s: the program could not bind it either",
			 at->address.port, strerror(-fd));
		print(name, false, why);
		return 1;
	}
	err = client_ask(SKL_CHECK, 0, text, length, fd, &answer);
	close(fd);
	if (err) {
		client_complain(err);
		return err;
	}
	if (answer.fd >= 0)
		close(answer.fd);
	if (answer.error == EOPNOTSUPP && strstr(answer.text, "is not known to this helper")) {
		complain("%s: %s: it is older than this skl", client_helper(), answer.text);
		return -EOPNOTSUPP;
	}
	print(name, answer.error == 0, answer.text);
	return answer.error != 0;
}

/* 0 where both are granted, 1 where one is refused, or -errno. */
static int ask_each(const struct address_pattern *at, const struct request *r, const char *text,
		    size_t length)
{
	static const uint8_t protocols[] = {IPPROTO_TCP, IPPROTO_UDP};
	int worst = 0;

	for (size_t i = 0; i < 2 && worst >= 0; i++) {
		struct address_pattern place = {.what = ADDRESS_ANY};
		int one;

		if (!asks_for(r, protocols[i]))
			continue;
		for (size_t j = 0; j < r->n_only; j++) {
			if (!r->only[j].protocol || r->only[j].protocol == protocols[i])
				place.address.port = r->only[j].first;
		}
		one = ask(at ? at : &place, protocols[i], text, length);
		if (one)
			worst = one;
	}
	return worst;
}

int check(const struct address_pattern *at, const char *text, size_t length)
{
	struct request r = {0};
	struct say said = {0};
	int result = request_parse(text, length, &r, &said);

	if (result == -ENOMEM) {
		complain("run: %s", strerror(ENOMEM));
	} else if (result) {
		printf("refused\n  %s\n", said.text);
		result = 1;
	} else {
		result = ask_each(at, &r, text, length);
	}
	request_free(&r);
	return result;
}
