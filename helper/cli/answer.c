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
#include <unistd.h>

#include "helper/cli/call.h"
#include "helper/cli/client.h"
#include "helper/cli/supervisor.h"
#include "helper/cli/taken.h"
#include "helper/cli/target.h"

/* -ECANCELED where nobody waits for it any more. */
static int ask(const struct supervisor *s, const struct call *c, int sock, struct client_answer *said)
{
	const enum skl_kind kind = c->is_bind ? SKL_CLAIM_BIND : SKL_CLAIM_LISTEN;
	int err;

	for (long waited = 0;; waited += 20) {
		err = client_ask_as(s->instance, kind, c->process, s->text, s->length, sock, c->pidfd, said);
		if (!client_is_absent(err) || waited >= s->wait_ms)
			return err;
		if (target_ends(c->pidfd, 20) || !call_is_there(c))
			return -ECANCELED;
	}
}

/* Returns GO_ON, or the errno for the program's call, negative, or 0. */
static int claim(struct supervisor *s, const struct call *c, int sock)
{
	struct client_answer said;
	int err;

	if (s->alone) {
		remark("process %d: its supervisor has ended: its socket is not covered", c->process);
		return s->warn ? 0 : -ECONNREFUSED;
	}
	err = ask(s, c, sock, &said);
	if (err == -ECANCELED)
		return GO_ON;
	if (err) {
		if (remark_is_taken())
			client_complain(err);
		return s->warn ? 0 : err;
	}
	if (said.fd >= 0)
		close(said.fd);
	remark("%s", said.error && !*said.text ? strerror(said.error) : said.text);
	return s->warn ? 0 : -said.error;
}

/* The same call on the same socket, whose answer has not arrived? Its result. From now on this one is. */
static bool begin(struct supervisor *s, const struct done_call *d, int *result)
{
	const struct done_call *known;

	pthread_mutex_lock(&s->lock);
	known = undelivered_find(&s->undelivered, d);
	if (known)
		*result = known->result;
	else
		undelivered_remember(&s->undelivered, d);
	pthread_mutex_unlock(&s->lock);
	return known != NULL;
}

/* It has had no effect, so it can be tried again. */
static void take_back(struct supervisor *s, struct done_call *d)
{
	pthread_mutex_lock(&s->lock);
	undelivered_forget(&s->undelivered, d);
	pthread_mutex_unlock(&s->lock);
	d->cookie = 0;
}

/* Does the call, unless it has been done for one that was taken away before it was answered, and claims. */
static int act(struct supervisor *s, const struct call *c, int sock, struct done_call *d)
{
	int result = GO_ON;

	*d = (struct done_call){.cookie = taken_cookie(sock),
				.is_bind = c->is_bind,
				.backlog = c->is_bind ? 0 : c->backlog,
				.result = GO_ON};
	if ((begin(s, d, &result) || s->alone) && taken_has_effect(sock, c->is_bind)) {
		if (result == GO_ON)
			result = claim(s, c, sock);
	} else if ((c->is_bind ? bind(sock, &c->address.any, c->length) : listen(sock, c->backlog)) < 0) {
		result = -errno;
		take_back(s, d);
	} else {
		result = claim(s, c, sock);
	}
	d->result = result;
	return result;
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

/* Is it a bind() or listen() that we do for the program? */
static bool is_ours(const struct call *c, int sock)
{
	/* one of MPTCP is inherited; the helper says that it cannot be covered */
	if (!c->is_bind)
		return taken_is_internet(sock, SOCK_STREAM, IPPROTO_TCP) ||
		       taken_is_internet(sock, SOCK_STREAM, IPPROTO_MPTCP);
	return taken_is_internet(sock, SOCK_DGRAM, IPPROTO_UDP) && c->has_address && c->address.in.sin6_port;
}

/*
 * May the program do itself what we would do for it? A bind() needs no right
 * where our own namespace says so; a claim is judged by our rights, which in
 * another namespace are none that the program was started with. Says so where
 * it is not known.
 */
static bool may(const struct call *c, int sock)
{
	const uint16_t port = ntohs(c->address.in.sin6_port);
	const bool here = taken_is_here(sock);

	if ((here && (!c->is_bind || needs_no_right(port))) || target_equals_us(c->thread))
		return true;
	if (c->is_bind)
		remark("process %d: it has other rights than when it was started: its UDP port %u is not "
		       "covered",
		       c->process, port);
	else
		remark("process %d: it has other rights than when it was started, and its socket is in "
		       "another network namespace: it is not covered",
		       c->process);
	return false;
}

static int answer_socket(struct supervisor *s, const struct call *c, int sock, struct done_call *d)
{
	if (!is_ours(c, sock) || !may(c, sock) || !call_is_there(c))
		return GO_ON;
	return act(s, c, sock, d);
}

/*
 * Whether a bind() that we cannot look at would be ours is not known: most are
 * not, and so none fails for that. Of a listen() more are than not.
 */
static int not_taken(const struct supervisor *s, const struct call *c, int err)
{
	if (err == -EBADF)
		return GO_ON;
	remark("process %d: its socket cannot be taken: %s: %s", c->process, target_why(err),
	       c->is_bind ? "if it is one of UDP, it is not covered" : "it is not covered");
	if (c->is_bind || s->warn)
		return GO_ON;
	return err == -ESRCH ? -EPERM : err;
}

/* A copy of the call's socket, or -errno. */
static int take(struct call *c)
{
	c->pidfd = target_open(c->thread, c->process);
	return c->pidfd < 0 ? c->pidfd : target_take(c->pidfd, c->fd);
}

int answer(struct supervisor *s, const struct seccomp_notif *request, struct done_call *d)
{
	struct call c;
	int sock, result = GO_ON, err = call_read(&c, s->notify, request);

	if (err == -EFAULT)
		return GO_ON; /* the kernel reads it itself, and finds the same */
	sock = err ? err : take(&c);
	if (sock >= 0)
		result = answer_socket(s, &c, sock, d);
	else if (call_is_there(&c))
		result = not_taken(s, &c, sock);
	if (sock >= 0)
		close(sock);
	if (c.pidfd >= 0)
		close(c.pidfd);
	return result;
}
