// SPDX-License-Identifier: BSD-2-Clause
/* Claims of a socket that several programs use (SKL_SHARE). */
#include "helper/claim.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <unistd.h>

#include "helper/claim_parts.h"
#include "helper/datapath/netns.h"

/* All of the share count as one program: what one has covered, its successors need not claim anew. */
static int cover_as_one(const struct claims *claims, const struct claim *c, const struct share *share)
{
	struct skl_request as_one = *c->request;
	struct claim of_all = *c;

	as_one.instance = share->founder;
	of_all.request = &as_one;
	return claim_cover(claims, &of_all);
}

/* What the share has is as good as bound and listening: a program that sees that may never call listen(). */
static int cover_given(const struct claims *claims, const struct claim *c, int give,
		       const struct share *share)
{
	struct received received = {.netns = -1};
	struct claim given = *c;
	int err;

	if (!request_wants_coverage(c->wanted))
		return 0;
	err = received_read(give, &received, c->s);
	given.received = &received;
	given.sock = give;
	if (!err)
		err = cover_as_one(claims, &given, share);
	received_close(&received);
	return err;
}

/* A share that is there has the socket that the program would be given. Nothing of the share changes. */
static int check(const struct claims *claims, struct claim *c)
{
	const struct share *share =
		shares_find(&claims->sharing->all, c->peer->uid, c->received->netns_ino, c->wanted->share);

	for (size_t i = 0; share && i < SHARE_SOCKETS; i++) {
		const struct share_socket *socket = &share->sockets[i];

		if (!socket->cookie || socket->at.protocol != c->received->listener.protocol)
			continue;
		return cover_given(claims, c, socket->fd, share);
	}
	return claim_cover(claims, c);
}

int claim_share(const struct claims *claims, struct claim *c)
{
	struct share_step step = {0};
	int err;

	if (c->check)
		return check(claims, c);
	err = share_listen(claims->sharing, c->peer, c->request, c->wanted, c->received, c->sock, &step,
			   c->s);
	if (err) {
		claim_log_refused(c);
		return err;
	}
	if (!step.share)
		return claim_cover(claims, c);
	err = cover_as_one(claims, c, step.share);
	if (err)
		share_undo(claims->sharing, &step);
	return err;
}

/* What the program could not have bound by itself, it does not get from others either. */
static int check_low_port(const struct peer *peer, const struct received *received, struct say *s)
{
	const struct listener *l = &received->listener;
	struct netns_view view;
	char what[RULE_TEXT];
	int err = netns_look(received->netns, &view);

	claim_what(l, what);
	if (err)
		return say_error(s, -err, what, "its network namespace cannot be looked into");
	close(view.diag);
	if (l->port >= view.first_free_port || peer_is_capable(peer, received->netns, CAP_NET_BIND_SERVICE))
		return 0;
	return say_error(s, EACCES, what,
			 "uid %u may not bind ports below %u, and so not join those who have it", peer->uid,
			 view.first_free_port);
}

static int join(const struct claims *claims, struct claim *c, int *give)
{
	struct share_step step = {0};
	int err = share_join(claims->sharing, c->peer, c->request, c->wanted, c->received, c->sock, give,
			     &step, c->s);

	if (err || *give < 0)
		return err;
	err = check_low_port(c->peer, c->received, c->s);
	if (!err)
		err = cover_given(claims, c, *give, step.share);
	if (!err)
		return 0;
	close(*give);
	*give = -1;
	share_undo(claims->sharing, &step);
	return err;
}

int claim_join(const struct claims *claims, const struct peer *peer, const struct skl_request *request,
	       const char *body, size_t length, int sock, int *give, struct say *s)
{
	struct request wanted = {0};
	struct received received = {.netns = -1};
	struct claim c = {.peer = peer,
			  .request = request,
			  .wanted = &wanted,
			  .received = &received,
			  .sock = sock,
			  .s = s};
	struct skl_join how;
	int err;

	*give = -1;
	if (sock < 0)
		return say_error(s, EBADF, "request", "no socket came with it");
	if (length < sizeof(how))
		return say_error(s, EBADMSG, "request", "no address came with it");
	memcpy(&how, body, sizeof(how));
	if (how.length > sizeof(how.address))
		return say_error(s, EBADMSG, "request", "its address is of %u bytes", how.length);
	err = request_parse(body + sizeof(how), length - sizeof(how), &wanted, s);
	if (!err && !wanted.share[0])
		err = say_error(s, EINVAL, "SKL_SHARE", "it is not set");
	if (!err)
		err = received_read_unbound(sock, how.address, how.length, &received, s);
	if (!err)
		err = join(claims, &c, give);
	else if (err == -EALREADY) /* bind() knows best what is wrong with it */
		err = 0;
	if (err && err != -EAGAIN)
		claim_log_refused(&c);
	request_free(&wanted);
	received_close(&received);
	return err;
}
