// SPDX-License-Identifier: BSD-2-Clause
/*
 * What the supervisor answers to a call.
 *
 * What it decides rests on its own copies: of the socket, taken by pidfd_getfd,
 * and of the address, read once. The call is then done on that socket with that
 * address by the supervisor itself, so that no other thread of the program can
 * change anything between the look and the act. Where the program has given up
 * rights that the supervisor has, it does no bind() for it.
 *
 * All these looks go by the thread's number: directly before the act the kernel
 * is asked whether the call still waits, see call_is_there().
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "helper/cli/call.h"
#include "helper/cli/client.h"
#include "helper/cli/skl.h"
#include "helper/cli/supervisor.h"
#include "helper/cli/taken.h"
#include "helper/cli/target.h"

static int ask(const struct supervisor *s, const struct call *c, int sock, struct client_answer *said)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	const enum skl_kind kind = c->is_bind ? SKL_CLAIM_BIND : SKL_CLAIM_LISTEN;
	int err;

	for (long waited = 0;; waited += 20) {
		err = client_ask_as(s->instance, kind, c->process, s->text, s->length, sock, said);
		if (!client_is_absent(err) || waited >= s->wait_ms)
			return err;
		nanosleep(&pause, NULL);
	}
}

/* Returns the errno for the program's call, negative, or 0. */
static int claim(struct supervisor *s, const struct call *c, int sock)
{
	struct client_answer said;
	int err;

	if (s->alone) {
		complain("process %d: its supervisor has ended: its socket is not covered", c->process);
		return s->warn ? 0 : -ECONNREFUSED;
	}
	err = ask(s, c, sock, &said);
	if (err) {
		client_complain(err);
		return s->warn ? 0 : err;
	}
	if (said.fd >= 0)
		close(said.fd);
	remark("%s", said.error && !*said.text ? strerror(said.error) : said.text);
	return s->warn ? 0 : -said.error;
}

static int do_listen(struct supervisor *s, const struct call *c, int sock)
{
	if (!taken_is_internet(sock, SOCK_STREAM, IPPROTO_TCP) || !call_is_there(c))
		return GO_ON;
	return listen(sock, c->backlog) < 0 ? -errno : claim(s, c, sock);
}

static bool needs_no_right(uint16_t port)
{
	FILE *f = fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re");
	int first = 1024;

	if (f) {
		if (fscanf(f, "%d", &first) != 1)
			first = 1024;
		fclose(f);
	}
	return port >= first;
}

static int do_bind(struct supervisor *s, const struct call *c, int sock)
{
	union {
		struct sockaddr any;
		struct sockaddr_in6 in;
		struct sockaddr_storage storage;
	} address = {0};

	if (!taken_is_internet(sock, SOCK_DGRAM, IPPROTO_UDP))
		return GO_ON;
	/* the kernel says of other lengths what is wrong with them */
	if (c->length < sizeof(struct sockaddr_in) || c->length > sizeof(address) ||
	    target_read(c->thread, c->address, &address, c->length) < 0 || !address.in.sin6_port)
		return GO_ON;
	if (!target_equals_us(c->thread) && !needs_no_right(ntohs(address.in.sin6_port))) {
		remark("process %d: it has other rights than when it was started: its UDP port %u is not "
		       "covered",
		       c->process, ntohs(address.in.sin6_port));
		return GO_ON;
	}
	if (!call_is_there(c))
		return GO_ON;
	return bind(sock, &address.any, c->length) < 0 ? -errno : claim(s, c, sock);
}

int answer(struct supervisor *s, const struct seccomp_notif *request, struct done_call *d)
{
	const struct done_call *known;
	struct call c;
	int err = call_read(&c, s->notify, request), sock;

	if (err)
		return GO_ON; /* the kernel reads it itself, and finds the same */
	sock = target_take(c.process, c.fd);
	if (!call_is_there(&c)) {
		if (sock >= 0)
			close(sock);
		return GO_ON;
	}
	if (sock < 0) {
		if (sock != -EBADF)
			complain("process %d: its socket cannot be taken: %s: it is not covered%s", c.process,
				 strerror(-sock),
				 sock == -EPERM ? " (kernel.yama.ptrace_scope lets only root do it)" : "");
		return sock == -EBADF || s->warn ? GO_ON : sock;
	}
	*d = (struct done_call){
		.cookie = taken_cookie(sock), .is_bind = c.is_bind, .backlog = c.is_bind ? 0 : c.backlog};
	known = undelivered_find(&s->undelivered, d);
	if (known && taken_has_effect(sock, c.is_bind))
		err = known->result;
	else
		err = c.is_bind ? do_bind(s, &c, sock) : do_listen(s, &c, sock);
	d->result = err;
	if (!taken_has_effect(sock, c.is_bind))
		d->cookie = 0; /* so it can be tried again */
	close(sock);
	return err;
}
