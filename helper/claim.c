// SPDX-License-Identifier: BSD-2-Clause
/*
 * Why each step is safe for a daemon that ordinary users may ask:
 *
 *   who asks      comes from the kernel, as of connect() (server/peer.c)
 *   which socket  is the descriptor that was received; its address, state and
 *                 namespace are asked of the kernel (datapath/listener.c). To
 *                 hold a socket is the right to have it served.
 *   what          the text decides only what is asked for (rules/request.c)
 *   may he        every port is judged by what bind() would have said to this
 *                 user and what the policy file grants him (rules/policy.h),
 *                 what he has already excepted
 *   doing it      touches the maps of the socket's own namespace only
 *
 * The socket itself is not kept: a helper that kept it would keep the
 * listener alive after its program died. Where that is what was asked for
 * (SKL_SHARE), it is share.c that keeps it, and looks for its processes.
 */
#include "helper/claim.h"

#include <errno.h>
#include <linux/capability.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "helper/claim_parts.h"
#include "helper/datapath/netns.h"

#define RULES_MAX 4096 /* in one request */

static int grant_all(struct claim *c)
{
	unsigned int wide = claim_wide(c);
	struct rule *rules;
	int n = request_rules(c->wanted, c->listener, wide, RULES_MAX, &rules, c->s), err;

	if (n < 0)
		return n;
	err = claim_grant(c, rules, n);
	free(rules);
	if (!err)
		err = claim_write(c);
	if (!err)
		claim_routes(c, wide);
	if (!err && !c->check)
		claim_take_over(c);
	return err;
}

/* Keeps of what was said since `said` the last line: the reason, without remarks about what is not given now.
 */
static void keep_reason(struct say *s, size_t said)
{
	const char *last = memrchr(s->text + said, '\n', s->length - said);
	struct say reason = {0};

	say(&reason, "%s", last ? last + 1 : s->text + said);
	say_rewind(s, said);
	say(s, "%s", reason.text);
}

static int apply(struct claim *c)
{
	size_t said = c->s->length;
	int err;

	datapath_begin_claim(c->space->datapath);
	err = claim_take_socket(c);
	if (!err) {
		err = grant_all(c);
		if (err || c->check)
			claim_take_back(c);
		if (err)
			keep_reason(c->s, said);
	}
	datapath_end_claim(c->space->datapath);
	return err;
}

/* The most bindings that the request can come to. */
static size_t most_wanted(const struct request *r)
{
	return (2 + r->n_cidrs) * (1 + r->n_ports) + r->n_binds;
}

/* What the user has. The dead count only until it matters: a server that died may be coming again. */
static void count_usage(struct claim *c, struct spaces *spaces)
{
	if (c->peer->uid == 0)
		return;
	c->usage = spaces_usage(spaces, c->space, c->peer->uid, false);
	if (usage_is_tight(&c->usage, &c->who, most_wanted(c->wanted)))
		c->usage = spaces_usage(spaces, c->space, c->peer->uid, true);
}

static bool names_addresses(const struct request *r)
{
	return r->n_cidrs || r->n_binds;
}

/*
 * Lets a UDP program name the IPv6 address that was asked as the source of its answer (IPV6_PKTINFO), also
 * where that is local by a route only: ipv6(7) of a socket with IPV6_FREEBIND. Any program may ask this for
 * itself; IPv4 never refuses. An IPv4 socket does not take it, and needs none.
 */
static void let_answer_from_routed(const struct claim *c)
{
	const int on = 1;

	if (names_addresses(c->wanted))
		setsockopt(c->sock, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on));
}

/* The part of a claim in which the namespace, its maps and its sockets are known. */
static int claim_in_space(struct claim *c, struct spaces *spaces, int diag)
{
	char what[RULE_TEXT];
	int err;

	claim_what(&c->received->listener, what);
	if (c->received->listener.ifindex && !datapath_knows_devices(c->space->datapath))
		return say_error(
			c->s, EOPNOTSUPP, what,
			"this kernel cannot cover a socket that is bound to a device (Linux 5.17 can)");
	/* root takes from nobody what root could not take anyway, and is spared the time that it takes to
	 * look */
	err = space_look(c->space, diag, c->received->listener.protocol == IPPROTO_UDP, c->peer->uid != 0);
	if (err)
		return say_error(c->s, -err, what, "the sockets of its network namespace cannot be listed");
	/*
	 * What the dead had, a range gets. Now, because from here on c->listener must not be forgotten,
	 * whatever its program does with it meanwhile.
	 */
	if (request_has_range(c->wanted))
		space_sweep(c->space);
	count_usage(c, spaces);
	c->mark = datapath_last_id(c->space->datapath);
	c->listener = claim_find_listener(c);
	if (!c->listener && claim_left_alone(c))
		return 0;
	if (c->received->listener.protocol == IPPROTO_UDP && !c->check) {
		err = space_start_replies(c->space, c->received->netns);
		if (err)
			return say_error(c->s, -err, what,
					 "its answers cannot be given the addresses that were asked");
	}
	err = apply(c);
	if (!err && c->received->listener.protocol == IPPROTO_UDP && !c->check)
		let_answer_from_routed(c);
	return err;
}

int claim_cover(const struct claims *claims, struct claim *c)
{
	struct netns_view view;
	char what[RULE_TEXT];
	int err;

	if (!request_wants_coverage(c->wanted))
		return 0;
	claim_what(&c->received->listener, what);
	err = netns_look(c->received->netns, &view);
	if (err)
		return say_error(c->s, -err, what, "its network namespace cannot be looked into");
	c->who = (struct claimant){
		.uid = c->peer->uid,
		.may_bind_low = peer_is_capable(c->peer, c->received->netns, CAP_NET_BIND_SERVICE),
		.first_free_port = view.first_free_port,
		.first_local_port = view.first_local_port,
		.last_local_port = view.last_local_port,
		.gid = c->peer->gid,
		.groups = c->peer->groups,
		.n_groups = c->peer->n_groups,
		.policy = claims->policy,
		.may_route = names_addresses(c->wanted) &&
			     peer_is_capable(c->peer, c->received->netns, CAP_NET_ADMIN),
	};
	err = spaces_get(claims->spaces, c->received->netns, c->received->netns_ino, c->peer->uid, &c->space);
	if (err) {
		close(view.diag);
		if (err == -EBUSY)
			return say_error(
				c->s, EBUSY, what,
				"another version of sklhelper covers ports of this network namespace "
				"(when the programs that it covers have ended, this one can)");
		if (err == -EDQUOT)
			return say_error(c->s, EMFILE, what,
					 "uid %u has coverage in %d network namespaces, which is the most",
					 c->peer->uid, NAMESPACE_MAX);
		return say_error(c->s, -err, what,
				 "the BPF programs cannot be put into its network namespace");
	}
	err = claim_in_space(c, claims->spaces, view.diag);
	claim_log(c, err);
	space_keep_diag(c->space, view.diag);
	return err;
}

int claim(const struct claims *claims, const struct peer *peer, const struct skl_request *request,
	  const char *text, size_t length, int sock, struct say *s)
{
	struct request wanted = {0};
	struct received received = {.netns = -1};
	struct claim c = {.peer = peer,
			  .request = request,
			  .wanted = &wanted,
			  .received = &received,
			  .sock = sock,
			  .check = request->kind == SKL_CHECK,
			  .s = s};
	int err;

	if (sock < 0)
		return say_error(s, EBADF, "request", "no socket came with it");
	err = request_parse(text, length, &wanted, s);
	if (!err)
		err = received_read(sock, &received, s);
	if (!err && wanted.share[0] && request->kind == SKL_CLAIM_ATTACH)
		err = say_error(s, EINVAL, "SKL_SHARE",
				"a socket that was taken from a running program is not shared");
	if (err)
		claim_log_refused(&c);
	else if (wanted.share[0])
		err = claim_share(claims, &c);
	else
		err = claim_cover(claims, &c);
	request_free(&wanted);
	received_close(&received);
	return err;
}
