/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of a claim, for each other: which socket, which listener, which bindings. */
#ifndef SKL_CLAIM_PARTS_H
#define SKL_CLAIM_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "helper/datapath/listener.h"
#include "helper/rules/policy.h"
#include "helper/rules/request.h"
#include "helper/rules/usage.h"
#include "helper/say.h"
#include "helper/server/peer.h"
#include "helper/space.h"
#include "helper/wire.h"

struct claims;

/* Whose socket it is, for show: of the process that asks, or of one of its own that it names, as a supervisor
 * does. */
struct claim_program {
	pid_t pid; /* 0: not looked at yet */
	char name[16];
};

struct claim {
	struct space *space;
	const struct peer *peer;
	const struct skl_request *request;
	const struct request *wanted;
	const struct received *received;
	struct claimant who;
	struct usage usage;	   /* what he has; of root it is not counted */
	struct listener *listener; /* in the table, or being made */
	bool new_listener, new_member;
	bool check;    /* SKL_CHECK: all of it is taken back before packets come */
	uint64_t mark; /* the last id before this began: bindings with higher ones are ours to take back */
	int sock;
	struct say *s;
	struct claim_program program; /* claim_program() */
};

/* "tcp port 80", of the listener's own port. */
void claim_what(const struct listener *l, char out[RULE_TEXT]);

/* ---- claim.c ---- */

/* Gives the socket the coverage that is wanted, if any, and logs it. 0, or -errno with the sentence. */
int claim_cover(const struct claims *claims, struct claim *c);

/* ---- claim_share.c ---- */

/*
 * The same where SKL_SHARE is set: the share first takes the socket, and gives it back if the coverage is
 * refused.
 */
int claim_share(const struct claims *claims, struct claim *c);

/* ---- claim_listener.c ---- */

/* Asks the broker where another process is named, and only once. */
const struct claim_program *claim_program(struct claim *c);

bool claim_has_instance(const struct claim *c, const struct listener *l);

/* Is it, now? One that is found dead is forgotten, so a pointer into the table may not outlive this. */
bool claim_still_there(struct claim *c, struct listener *l);

/* The listener that the socket belongs to already, or NULL. */
struct listener *claim_find_listener(struct claim *c);

/*
 * Of several sockets of a program on one port, the first of each family has what is not about their own
 * addresses. Returns the WIDE_ bits of the families in which this one is the first.
 */
unsigned int claim_wide(struct claim *c);

/* A program's coverage goes to its first listener, unless SKL_FOR says which: is this one to be left alone?
 */
bool claim_left_alone(struct claim *c);

/* Makes the socket a member of c->listener, or of a new one where that is NULL. 0, or -errno with the
 * sentence. */
int claim_take_socket(struct claim *c);

/* ---- claim_bindings.c ---- */

bool claim_is_ours(const struct claim *c, const struct binding *b);

/* Judges the rules and adds a binding for each that is granted. 0, or -errno with the sentence. */
int claim_grant(struct claim *c, struct rule *rules, int n);

/* Lets packets come, but for a check. 0, or -errno with the sentence. */
int claim_write(struct claim *c);

/* Adds a binding for a rule that was judged. 0, or -errno with the sentence. */
int claim_add_binding(struct claim *c, const struct rule *r);

/* Undoes what this claim did. */
void claim_take_back(struct claim *c);

/* ---- claim_takeover.c ---- */

/* Ends what other users have of the ports that the listener took over; to be called when nothing can fail any
 * more. */
void claim_take_over(struct claim *c);

/* ---- claim_log.c ---- */

/* Says what has become of it in its network namespace; err is 0 or -errno. */
void claim_log(struct claim *c, int err);

/* The same of one that did not come so far. */
void claim_log_refused(struct claim *c);

/* ---- claim_routes.c ---- */

/*
 * Sees to it that packets for the granted addresses are received here: makes
 * them local where the claimant may, or remarks what would. `wide` as in
 * request_rules().
 */
void claim_routes(struct claim *c, unsigned int wide);

#endif
