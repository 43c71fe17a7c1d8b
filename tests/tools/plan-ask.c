// SPDX-License-Identifier: BSD-2-Clause
/*
 * plan-ask [-t STATE] COUNT PLAN: makes that many connections to what a plan covers (plan.h), and judges who
 * answers.
 *
 * Each goes to an address and a port of a random rule, or next to it, where perhaps
 * another rule applies, or none. STATE is what plan-serve shares; without it all rules are there all the
 * time. What is right follows from the plan and from what was certain while the connection was made, and is
 * found out here without any of the product's code.
 *
 *   right   the one whose rule comes first has answered, or nobody, where nobody has a rule; `sure` of
 *           these were connections for which only one outcome was right
 *   change  refused or lost, while that was allowed: its listener came or went
 *   wrong   another one answered
 *   refused, lost, silent: with a rule that was there all the time
 *
 * The exit status is 0 when there is nothing of the last two lines.
 */
#include <sys/time.h>

#include "tests/tools/plan.h"

enum outcome { RIGHT, CHANGE, WRONG, REFUSED, LOST, SILENT, N_OUTCOMES };

static const char *const names[] = {"right", "change", "wrong", "refused", "lost", "silent"};

static struct plan plan;
static struct shared *shared;
static long sure, nobody;

struct target {
	struct address address;
	uint16_t port;
	uint64_t start; /* ns: when the connection began to be made */
};

/* ---- what is allowed ---- */

static bool is_sure(const struct rule *r, const struct target *t)
{
	uint64_t since = shared->states[r->owner].sure_since;

	return since != 0 && since <= t->start;
}

static bool is_maybe(const struct rule *r, const struct target *t)
{
	return shared->states[r->owner].maybe_until >= t->start;
}

static bool is_stale(const struct rule *r, const struct target *t)
{
	return shared->states[r->owner].stale_until >= t->start;
}

/*
 * A range gives way where it would take what another user had first. Does this
 * one, for `other`: certainly, or (perhaps) possibly?
 */
static bool gives_way_to(const struct rule *r, const struct rule *other, const struct target *t, bool perhaps)
{
	const struct state *mine = &shared->states[r->owner], *its = &shared->states[other->owner];
	unsigned int common = r->length < other->length ? r->length : other->length;
	int order = rule_order(r, other);

	if (plan.owners[r->owner].uid == plan.owners[other->owner].uid || r->first == r->last ||
	    other->first > t->port || other->last < t->port || order > 0 ||
	    !same_bits(&r->prefix, &other->prefix, common))
		return false;
	if (!perhaps)
		return order < 0 && is_sure(other, t) && mine->asked <= t->start &&
		       its->sure_since < mine->asked;
	if (is_stale(other, t)) /* it is enough that it was there, be its listener gone */
		return true;
	return is_maybe(other, t) && !(mine->sure_since && its->asked > mine->sure_since);
}

static bool gives_way(const struct rule *r, const struct target *t, bool perhaps)
{
	for (size_t i = 0; plan.many_users && i < plan.n_rules; i++) {
		if (gives_way_to(r, &plan.rules[i], t, perhaps))
			return true;
	}
	return false;
}

#define MOST_MATCHES 64

struct allowed {
	const struct rule *winners[MOST_MATCHES];
	size_t n;
	bool refusal, loss;
};

/* To be called after the connection: what is read here as certain was so all the time. */
static void find_allowed(const struct target *t, struct allowed *out)
{
	const struct rule *matches[MOST_MATCHES] = {0}, *first = NULL; /* of those that are certain */
	size_t n = 0;

	*out = (struct allowed){0};
	for (size_t i = 0; i < plan.n_rules; i++) {
		const struct rule *r = &plan.rules[i];

		if (!rule_matches(r, &t->address, t->port))
			continue;
		if (n == MOST_MATCHES)
			plan_fail("too many rules for one packet");
		matches[n++] = r;
		if (is_sure(r, t) && !gives_way(r, t, true) && (!first || rule_order(r, first) < 0))
			first = r;
	}
	out->refusal = !first;
	for (size_t i = 0; i < n; i++) {
		const struct rule *r = matches[i];

		if (first && rule_order(r, first) > 0)
			continue;
		out->refusal |= is_stale(r, t);
		if ((!is_maybe(r, t) && r != first) || gives_way(r, t, false))
			continue;
		out->winners[out->n++] = r;
		out->loss |= !is_sure(r, t);
	}
}

/* ---- a connection ---- */

static uint32_t pick(uint32_t n)
{
	return (uint32_t)random() % n;
}

/* One in eight times what lies just outside, or at the edge. */
static void pick_target(const struct rule *r, struct target *t)
{
	unsigned int bits = address_bits(&r->prefix);

	t->address = r->prefix;
	t->port = (uint16_t)(r->first + pick((uint32_t)(r->last - r->first) + 1));
	for (unsigned int i = r->length; i < bits; i++) {
		if (random() & 0x4000)
			t->address.bytes[i / 8] ^= (uint8_t)(0x80 >> i % 8);
	}
	switch (pick(32)) {
	case 0:							/* the neighbouring prefix */
		if (r->length > 16 && t->address.bytes[0] != 0) /* connect() takes :: for ::1 */
			t->address.bytes[(r->length - 1) / 8] ^= (uint8_t)(0x80 >> (r->length - 1) % 8);
		break;
	case 1:
		t->port = (uint16_t)(r->first - 1);
		break;
	case 2:
		t->port = (uint16_t)(r->last + 1);
		break;
	case 3:
		t->port = pick(2) ? r->first : r->last;
		break;
	default:
		break;
	}
	if (t->port == 0)
		t->port = r->first;
	/* before Linux 5.14 the lowest address of a network is for broadcasts: connect() refuses it */
	if (t->address.family == AF_INET && memcmp(t->address.bytes, (uint8_t[4]){127}, 4) == 0)
		t->address.bytes[3] = 1;
}

static ssize_t receive(int sock, char *line, size_t size)
{
	size_t n = 0;
	ssize_t got;

	while (n < size - 1 && (got = recv(sock, line + n, size - 1 - n, 0)) != 0) {
		if (got < 0)
			return -errno;
		n += (size_t)got;
	}
	line[n] = '\0';
	return (ssize_t)n;
}

/* Has it met itself? A client may be given just that address and port that it goes to. */
static bool is_itself(int sock, const struct sockaddr_storage *to, socklen_t length)
{
	struct sockaddr_storage own;
	socklen_t got = sizeof(own);
	const struct sockaddr_in *v4 = (void *)&own, *to4 = (void *)to;
	const struct sockaddr_in6 *v6 = (void *)&own, *to6 = (void *)to;

	if (getsockname(sock, (struct sockaddr *)&own, &got) < 0 || got != length)
		return false;
	if (own.ss_family == AF_INET)
		return v4->sin_port == to4->sin_port && v4->sin_addr.s_addr == to4->sin_addr.s_addr;
	return v6->sin6_port == to6->sin6_port && IN6_ARE_ADDR_EQUAL(&v6->sin6_addr, &to6->sin6_addr);
}

/* Fills in the time and what was said. Returns 0 or -errno. */
static int talk(struct target *t, char *line, size_t size)
{
	const struct timeval patience = {.tv_sec = 5};
	const struct linger reset = {.l_onoff = 1}; /* nothing is left of it */
	struct sockaddr_storage to;
	socklen_t length = address_to(&t->address, t->port, &to);
	int sock = socket(t->address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ssize_t got;

	if (sock < 0 || setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) < 0 ||
	    setsockopt(sock, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset)) < 0)
		plan_fail("socket");
	t->start = now_ns();
	got = connect(sock, (struct sockaddr *)&to, length) < 0 ? -errno : 0;
	if (!got && is_itself(sock, &to, length))
		got = -EALREADY;
	if (!got)
		got = receive(sock, line, size);
	close(sock);
	if (got == -EALREADY)
		return talk(t, line, size);
	if (got == 0)
		return -ECONNRESET;
	return got < 0 ? (int)got : 0;
}

static void complain(const struct target *t, const struct allowed *allowed, const char *said)
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(t->address.family, t->address.bytes, address, sizeof(address));
	fprintf(stderr, "plan-ask: %s port %u: %s, not", address, t->port, said);
	for (size_t i = 0; i < allowed->n; i++)
		fprintf(stderr, " %s", plan.owners[allowed->winners[i]->owner].name);
	fprintf(stderr, "%s\n", allowed->refusal ? " nobody" : "");
}

/* "NAME reached ADDRESS port PORT", or the same with more before and after NAME. */
static bool is_said_by(const char *line, const struct target *t, const char *name)
{
	char address[INET6_ADDRSTRLEN], where[80];
	size_t length = strlen(line), tail, n = strlen(name);

	inet_ntop(t->address.family, t->address.bytes, address, sizeof(address));
	tail = (size_t)snprintf(where, sizeof(where), "reached %s port %u\n", address, t->port);
	if (length < tail || strcmp(line + length - tail, where) != 0)
		return false;
	for (const char *at = line; (at = strstr(at, name)); at++) {
		if ((at == line || at[-1] == ' ') && strchr(" :", at[n]))
			return true;
	}
	return false;
}

static enum outcome judge(const struct target *t, int err, const char *line)
{
	struct allowed allowed;

	find_allowed(t, &allowed);
	if (!err) {
		for (size_t i = 0; i < allowed.n; i++) {
			if (!is_said_by(line, t, plan.owners[allowed.winners[i]->owner].name))
				continue;
			sure += allowed.n == 1 && !allowed.refusal;
			return RIGHT;
		}
		complain(t, &allowed, line);
		return WRONG;
	}
	if (err == -ECONNREFUSED && allowed.refusal && allowed.n == 0) {
		sure++;
		nobody++;
		return RIGHT;
	}
	if ((err == -ECONNREFUSED && allowed.refusal) || (err == -ECONNRESET && allowed.loss))
		return CHANGE;
	complain(t, &allowed, strerror(-err));
	return err == -ECONNREFUSED ? REFUSED : err == -ECONNRESET ? LOST : SILENT;
}

/* All are there, and came in the order in which they stand. */
static void share_what_stays(void)
{
	shared = calloc(1, sizeof(*shared) + plan.n_owners * sizeof(struct state));
	if (!shared)
		plan_fail("memory");
	for (size_t i = 0; i < plan.n_owners; i++) {
		shared->states[i].asked = shared->states[i].sure_since = i + 1;
		shared->states[i].maybe_until = UINT64_MAX;
	}
}

int main(int argc, char **argv)
{
	bool timed = argc == 5 && strcmp(argv[1], "-t") == 0;
	long outcomes[N_OUTCOMES] = {0}, count;
	uint64_t changes;

	if (argc != 3 && !timed)
		return EINVAL;
	plan_read(argv[argc - 1], &plan);
	if (timed)
		shared = plan_share(argv[2], &plan);
	else
		share_what_stays();
	count = atol(argv[argc - 2]);
	srandom((unsigned int)getpid());
	changes = shared->changes;
	for (long i = 0; i < count; i++) {
		struct target t;
		char line[200];
		int err;

		pick_target(&plan.rules[(size_t)random() % plan.n_rules], &t);
		err = talk(&t, line, sizeof(line));
		outcomes[judge(&t, err, line)]++;
	}
	printf("ok ");
	for (int i = 0; i < N_OUTCOMES; i++)
		printf("%s %ld ", names[i], outcomes[i]);
	printf("sure %ld nobody %ld changes %lu failures %lu slowest %lu\n", sure, nobody,
	       shared->changes - changes, shared->failures, shared->slowest / 1000);
	return outcomes[RIGHT] + outcomes[CHANGE] == count ? 0 : 1;
}
