// SPDX-License-Identifier: BSD-2-Clause
/* Which socket a program of a share gets, who may add one, and when a socket without a process is closed. */
#include "tests/unit/objects.h"

#include <errno.h>

#include "helper/rules/shares.h"

#define ALICE 1000
#define BOB   1001
#define HERE  4026531840ull

static struct shares all;
static struct say said;
static uint64_t next_cookie;

static int start(void **state)
{
	memset(&all, 0, sizeof(all));
	memset(&said, 0, sizeof(said));
	next_cookie = 100;
	return 0;
}

static int end(void **state)
{
	while (all.first) {
		struct share *s = all.first;

		while (s->n_processes)
			share_remove_process(s, s->processes[0]);
		shares_remove(&all, s);
	}
	return 0;
}

static struct listener at(const char *address, uint16_t port, uint8_t protocol)
{
	struct listener l = {
		.family = strchr(address, ':') ? AF_INET6 : AF_INET, .port = port, .protocol = protocol};

	assert_int_equal(inet_pton(l.family, address, l.address), 1);
	return l;
}

static struct share_claim claim(uint32_t uid, const char *name, uint64_t instance, const struct listener *l)
{
	return (struct share_claim){
		.uid = uid,
		.socket_uid = uid,
		.netns = HERE,
		.cookie = ++next_cookie,
		.instance = instance,
		.now = 1000,
		.pid = (int32_t)instance,
		.name = name,
		.at = l,
	};
}

/* What the helper does with a program of this uid and instance (and pid) that binds and listens. -1: its own.
 */
static int serve(uint32_t uid, const char *name, uint64_t instance, struct listener l)
{
	struct share_claim c = claim(uid, name, instance, &l);
	struct share_process *p;
	struct share *share;
	size_t index = 0;
	int verdict;

	say_rewind(&said, 0);
	verdict = shares_judge_bind(&all, &c, &share, &index, &said);
	if (verdict < 0)
		return verdict;
	if (verdict == SHARE_NOT)
		return 999;
	if (verdict == SHARE_ADD) {
		verdict = shares_judge_listen(&all, &c, &share, &index, &said);
		if (verdict < 0)
			return verdict;
		assert_int_equal(verdict, SHARE_ADD);
		if (!share) {
			share = shares_add(&all, uid, HERE, name);
			share->founder = instance;
		}
		index = share_add_socket(share, c.cookie, c.cookie, &l, -1);
	}
	p = share_find_process(share, c.pid);
	if (!p)
		p = share_add_process(share, c.pid, -1, instance, c.now);
	assert_non_null(p);
	p->fd[index] = 3;
	return (int)index;
}

static void says(const char *text)
{
	if (!strstr(said.text, text))
		fail_msg("'%s' is not in '%s'", text, said.text);
}

static void joins_by_user_namespace_and_name(void **state)
{
	struct listener web = at("127.0.0.1", 8080, IPPROTO_TCP);
	struct share_claim c;
	struct share *share;
	size_t index;

	assert_int_equal(serve(ALICE, "web", 1, web), 0);
	assert_int_equal(serve(ALICE, "web", 2, web), 0);
	assert_int_equal(all.first->n_processes, 2);
	assert_int_equal(serve(BOB, "web", 3, web), -EADDRINUSE);
	says("a share of uid 1000 has it");
	assert_null(strstr(said.text, "\"web\""));
	assert_int_equal(serve(ALICE, "other", 3, web), -EADDRINUSE);
	says("SKL_SHARE=web");
	assert_int_equal(serve(ALICE, "other", 3, at("0.0.0.0", 8080, IPPROTO_TCP)), -EADDRINUSE);
	assert_int_equal(serve(ALICE, "other", 3, at("::", 8080, IPPROTO_TCP)), -EADDRINUSE);
	assert_int_equal(serve(ALICE, "udp", 3, at("127.0.0.1", 8080, IPPROTO_UDP)), 0);
	/* in another namespace it is another one */
	c = claim(ALICE, "web", 4, &web);
	c.netns = HERE + 1;
	assert_int_equal(shares_judge_bind(&all, &c, &share, &index, &said), SHARE_ADD);
	assert_null(share);
}

static void only_the_founder_adds(void **state)
{
	struct listener http = at("0.0.0.0", 80, IPPROTO_TCP), https = at("0.0.0.0", 443, IPPROTO_TCP);
	struct share *s;

	assert_int_equal(serve(ALICE, "web", 1, http), 0);
	assert_int_equal(serve(ALICE, "web", 2, https), -EINVAL);
	says("the share \"web\" is 0.0.0.0:80/tcp (pid 1)");
	assert_int_equal(serve(ALICE, "web", 1, https), 1);
	assert_int_equal(serve(ALICE, "web", 2, https), 1);
	assert_int_equal(serve(ALICE, "web", 2, http), 0);
	/* the oldest that is left inherits it */
	s = all.first;
	share_remove_process(s, share_find_process(s, 1));
	assert_int_equal(serve(ALICE, "web", 3, http), 0);
	assert_int_equal(serve(ALICE, "web", 3, at("0.0.0.0", 81, IPPROTO_TCP)), -EINVAL);
	assert_int_equal(serve(ALICE, "web", 2, at("0.0.0.0", 81, IPPROTO_TCP)), 2);
	/* and of a share that nobody has, whoever comes */
	while (s->n_processes)
		share_remove_process(s, s->processes[0]);
	assert_int_equal(serve(ALICE, "web", 9, at("0.0.0.0", 82, IPPROTO_TCP)), 3);
}

static void reuseport_sockets_go_one_by_one(void **state)
{
	struct listener l = at("0.0.0.0", 80, IPPROTO_TCP), plain = l;
	struct share *s;

	l.reuseport = true;
	for (int i = 0; i < 3; i++)
		assert_int_equal(serve(ALICE, "web", 1, l), i);
	for (int i = 0; i < 4; i++) /* the fourth is added */
		assert_int_equal(serve(ALICE, "web", 2, l), i);
	/* without SO_REUSEPORT it is the same one each time */
	assert_int_equal(serve(ALICE, "web", 3, plain), 0);
	assert_int_equal(serve(ALICE, "web", 3, plain), 0);
	/* one that nobody has comes first */
	s = all.first;
	for (size_t i = 0; i < s->n_processes; i++)
		s->processes[i]->fd[2] = NOT_OPEN;
	assert_int_equal(serve(ALICE, "web", 4, l), 2);
	assert_int_equal(serve(ALICE, "web", 4, l), 0);
}

static void further_udp_ports_are_left_alone(void **state)
{
	assert_int_equal(serve(ALICE, "dns", 1, at("127.0.0.1", 53, IPPROTO_UDP)), 0);
	assert_int_equal(serve(ALICE, "dns", 1, at("127.0.0.2", 53, IPPROTO_UDP)), 1);
	assert_int_equal(serve(ALICE, "dns", 1, at("127.0.0.1", 40000, IPPROTO_UDP)), 999);
	assert_int_equal(serve(ALICE, "dns", 1, at("127.0.0.1", 53, IPPROTO_TCP)), 2);
	/* but the first one of another program is to be the share's */
	assert_int_equal(serve(ALICE, "dns", 2, at("127.0.0.1", 54, IPPROTO_UDP)), -EINVAL);
	assert_int_equal(serve(ALICE, "dns", 2, at("127.0.0.1", 53, IPPROTO_UDP)), 0);
	assert_int_equal(serve(ALICE, "dns", 2, at("127.0.0.1", 40001, IPPROTO_UDP)), 999);
}

static void one_founds_and_the_others_wait(void **state)
{
	struct listener l = at("0.0.0.0", 80, IPPROTO_TCP), other = at("0.0.0.0", 81, IPPROTO_TCP);
	struct share_claim first = claim(ALICE, "web", 1, &l), second = claim(ALICE, "web", 2, &l),
			   elsewhere = claim(ALICE, "web", 2, &other), foreign = claim(BOB, "web", 3, &l);
	struct share *share;
	size_t index;

	assert_int_equal(shares_judge_bind(&all, &first, &share, &index, &said), SHARE_ADD);
	assert_non_null(shares_note_pending(&all, &first));
	assert_int_equal(shares_judge_bind(&all, &second, &share, &index, &said), -EAGAIN);
	says("being founded by pid 1");
	assert_int_equal(shares_judge_bind(&all, &elsewhere, &share, &index, &said), -EAGAIN);
	assert_int_equal(shares_judge_bind(&all, &first, &share, &index, &said), SHARE_ADD);
	assert_int_equal(shares_judge_bind(&all, &foreign, &share, &index, &said), SHARE_ADD);
	second.now += PENDING_MS;
	assert_int_equal(shares_judge_bind(&all, &second, &share, &index, &said), SHARE_ADD);
	shares_remove_pending(&all, shares_find_pending(&all, first.cookie));
	assert_int_equal(all.n_pending, 0);
}

static void pending_is_bounded_for_each_user(void **state)
{
	struct listener l = at("0.0.0.0", 80, IPPROTO_TCP);
	struct share_claim c;

	for (int i = 0; i < PENDING_EACH; i++) {
		c = claim(ALICE, "web", 1, &l);
		assert_non_null(shares_note_pending(&all, &c));
	}
	c = claim(ALICE, "web", 1, &l);
	assert_null(shares_note_pending(&all, &c));
	c = claim(BOB, "web", 1, &l);
	assert_non_null(shares_note_pending(&all, &c));
}

static void who_bound_it_counts_not_who_listens(void **state)
{
	struct listener l = at("0.0.0.0", 80, IPPROTO_TCP);
	struct share_claim c = claim(0, "web", 1, &l);
	struct share *share;
	size_t index;

	shares_note_pending(&all, &c);
	c.uid = BOB;
	assert_int_equal(shares_judge_listen(&all, &c, &share, &index, &said), SHARE_ADD);
	assert_int_equal(c.uid, 0);
}

/* Who was given a socket that root was about to bind has not bound it for root's share on another port. */
static void another_address_was_not_bound_for_it(void **state)
{
	struct listener l = at("0.0.0.0", 80, IPPROTO_TCP), other = at("0.0.0.0", 8080, IPPROTO_TCP);
	struct share_claim c = claim(0, "web", 1, &l);
	struct share *share;
	size_t index;

	shares_note_pending(&all, &c);
	c.uid = BOB;
	c.socket_uid = 0;
	c.at = &other;
	assert_int_equal(shares_judge_listen(&all, &c, &share, &index, &said), -EACCES);
}

static void what_others_made_is_not_shared(void **state)
{
	struct listener l = at("0.0.0.0", 80, IPPROTO_TCP);
	struct share_claim c = claim(BOB, "web", 1, &l);
	struct share *share;
	size_t index;

	c.socket_uid = ALICE;
	assert_int_equal(shares_judge_listen(&all, &c, &share, &index, &said), -EACCES);
	c.uid = 0;
	assert_int_equal(shares_judge_listen(&all, &c, &share, &index, &said), SHARE_ADD);
}

static void a_socket_has_one_share(void **state)
{
	struct listener l = at("0.0.0.0", 80, IPPROTO_TCP);
	struct share_claim c = claim(ALICE, "other", 2, &l);
	struct share *share;
	size_t index;

	serve(ALICE, "web", 1, l);
	c.cookie = all.first->sockets[0].cookie;
	assert_int_equal(shares_judge_listen(&all, &c, &share, &index, &said), -EINVAL);
	says("belongs to the share \"web\"");
	/* whoever was given it is a member */
	c.name = "web";
	c.uid = BOB;
	assert_int_equal(shares_judge_listen(&all, &c, &share, &index, &said), SHARE_GIVE);
}

static void limits(void **state)
{
	for (int i = 0; i < SHARE_SOCKETS; i++)
		assert_int_equal(serve(ALICE, "web", 1, at("0.0.0.0", (uint16_t)(1000 + i), IPPROTO_TCP)), i);
	assert_int_equal(serve(ALICE, "web", 1, at("0.0.0.0", 99, IPPROTO_TCP)), -EMFILE);
	assert_int_equal(serve(ALICE, "more", 1, at("0.0.0.0", 99, IPPROTO_TCP)), -EMFILE);
	assert_int_equal(serve(BOB, "web", 2, at("0.0.0.0", 99, IPPROTO_TCP)), 0);
	for (int i = 0; i < 2 * SHARE_PROCESSES; i++) {
		bool room = all.first->n_processes < SHARE_PROCESSES;

		assert_true(!!share_add_process(all.first, 10000 + i, -1, 0, 0) == room);
	}
	assert_int_equal(all.first->n_processes, SHARE_PROCESSES);
}

static void root_has_several_times_as_many_sockets(void **state)
{
	char name[SHARE_NAME];

	for (int i = 0; i < SHARES_SOCKETS; i++) {
		snprintf(name, sizeof(name), "s%d", i / 8);
		assert_int_equal(serve(0, name, (uint64_t)(1 + i / 8),
				       at("0.0.0.0", (uint16_t)(1000 + i), IPPROTO_TCP)),
				 i % 8);
	}
	assert_int_equal(serve(0, "last", 5000, at("0.0.0.0", 99, IPPROTO_TCP)), -EMFILE);
	says("the helper keeps 1024 sockets");
}

static void many_users_leave_room_for_root(void **state)
{
	char name[SHARE_NAME];

	for (int i = 0; i < SHARES_SOCKETS - SHARES_ROOT; i++) {
		snprintf(name, sizeof(name), "s%d", i / 8);
		assert_int_equal(serve((uint32_t)(5000 + i / SHARE_SOCKETS), name, (uint64_t)(1 + i / 8),
				       at("0.0.0.0", (uint16_t)(1000 + i), IPPROTO_TCP)),
				 i % 8);
	}
	assert_int_equal(serve(4999, "last", 5000, at("0.0.0.0", 99, IPPROTO_TCP)), -EMFILE);
	says("but for root's");
	assert_int_equal(serve(0, "last", 5001, at("0.0.0.0", 99, IPPROTO_TCP)), 0);
}

static void closes_when_the_last_process_is_gone(void **state)
{
	struct share *s;

	serve(ALICE, "web", 1, at("0.0.0.0", 80, IPPROTO_TCP));
	serve(ALICE, "web", 2, at("0.0.0.0", 80, IPPROTO_TCP));
	s = all.first;
	assert_false(share_note_orphans(s, 1000));
	assert_int_equal(share_closes_at(s, 0), 0);
	share_remove_process(s, share_find_process(s, 1));
	assert_false(share_note_orphans(s, 2000));
	share_remove_process(s, share_find_process(s, 2));
	assert_true(share_note_orphans(s, 3000));
	assert_int_equal(share_closes_at(s, 0), 3000);
	s->hold_ms = 30000;
	assert_true(share_note_orphans(s, 4000));
	assert_int_equal(share_closes_at(s, 0), 33000);
	serve(ALICE, "web", 3, at("0.0.0.0", 80, IPPROTO_TCP));
	assert_false(share_note_orphans(s, 5000));
	assert_int_equal(share_closes_at(s, 0), 0);
}

static void a_remnant_of_reuseport_closes_early(void **state)
{
	struct listener l = at("0.0.0.0", 80, IPPROTO_TCP), other = at("0.0.0.0", 81, IPPROTO_TCP);
	struct share *s;

	l.reuseport = true;
	serve(ALICE, "web", 1, l);
	serve(ALICE, "web", 1, l);
	serve(ALICE, "web", 1, other);
	s = all.first;
	s->hold_ms = 60000;
	s->processes[0]->fd[1] = s->processes[0]->fd[2] = NOT_OPEN;
	share_note_orphans(s, 1000);
	assert_int_equal(share_closes_at(s, 1), 1000 + SHARE_REMNANT_MS); /* its twin takes the connections */
	assert_int_equal(share_closes_at(s, 2), 61000);
	/* with nobody there, both wait */
	s->processes[0]->fd[0] = NOT_OPEN;
	share_note_orphans(s, 1500);
	assert_int_equal(share_closes_at(s, 0), 61500);
	assert_int_equal(share_closes_at(s, 1), 61000);
}

static void who_had_it_last_is_remembered(void **state)
{
	struct share_process *p;
	struct share *s;

	serve(ALICE, "web", 7, at("0.0.0.0", 80, IPPROTO_TCP));
	s = all.first;
	p = share_find_process(s, 7);
	p->joined = 1;
	share_remove_process(s, p);
	assert_int_equal(s->sockets[0].last_instance, 7);
	assert_true(s->sockets[0].last_joined);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
	const struct CMUnitTest tests[] = {
		TEST(joins_by_user_namespace_and_name),
		TEST(only_the_founder_adds),
		TEST(reuseport_sockets_go_one_by_one),
		TEST(further_udp_ports_are_left_alone),
		TEST(one_founds_and_the_others_wait),
		TEST(pending_is_bounded_for_each_user),
		TEST(who_bound_it_counts_not_who_listens),
		TEST(another_address_was_not_bound_for_it),
		TEST(what_others_made_is_not_shared),
		TEST(a_socket_has_one_share),
		TEST(limits),
		TEST(root_has_several_times_as_many_sockets),
		TEST(many_users_leave_room_for_root),
		TEST(closes_when_the_last_process_is_gone),
		TEST(a_remnant_of_reuseport_closes_early),
		TEST(who_had_it_last_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
