// SPDX-License-Identifier: BSD-2-Clause
/* How often users may ask: a burst, then a steady rate, each user by himself; and whose turn it is. */
#include "tests/unit/objects.h"

#include "helper/server/quota.h"

#define ME     1000
#define YOU    1001
#define SECOND 1000000000ull

static const uint64_t start = 5 * SECOND;

static void a_burst_then_a_rate(void **state)
{
	static const uint32_t rates[] = {1, 2, 50, 200, 999, 1000000};

	for (size_t i = 0; i < COUNT(rates); i++) {
		static struct askers a;
		uint64_t now = start;
		uint32_t got = 0, wait;

		memset(&a, 0, sizeof(a));
		while ((wait = quota_take(&a, ME, rates[i], now)) == 0 && got <= rates[i] + 1)
			got++;
		if (got != rates[i] && got != rates[i] + (SECOND % rates[i] != 0))
			fail_msg("%u: a burst of %u", rates[i], got);
		/* what it says is when it works, and not a millisecond too late */
		assert_int_not_equal(quota_take(&a, ME, rates[i], now + (wait - 1) * 1000000ull), 0);
		assert_int_equal(quota_take(&a, ME, rates[i], now + wait * 1000000ull), 0);
		/* ten seconds of asking all the time: ten times the rate */
		now += wait * 1000000ull;
		got = 0;
		for (uint64_t t = now; rates[i] <= 999 && t < now + 10 * SECOND; t += SECOND / 4000)
			got += quota_take(&a, ME, rates[i], t) == 0;
		if (rates[i] <= 999)
			assert_in_range(got, 10 * rates[i] - 1, 10 * rates[i] + 11);
		/* and after a pause a whole burst */
		now += 20 * SECOND;
		for (got = 0; got < rates[i]; got++)
			assert_int_equal(quota_take(&a, ME, rates[i], now), 0);
	}
}

static void each_by_himself(void **state)
{
	static struct askers a;

	for (int i = 0; i < 10; i++)
		assert_int_equal(quota_take(&a, ME, 10, start), 0);
	assert_int_not_equal(quota_take(&a, ME, 10, start), 0);
	assert_int_equal(quota_take(&a, YOU, 10, start), 0);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(quota_take(&a, 0, UINT32_MAX, start), 0);
}

/* More users than places: who asks a lot is not forgotten because others ask once. */
static void a_crowd(void **state)
{
	static struct askers a;

	for (int i = 0; i < 100; i++)
		assert_int_equal(quota_take(&a, ME, 100, start), 0);
	for (uint32_t uid = 5000; uid < 5000 + 10 * QUOTA_USERS; uid++)
		assert_int_equal(quota_take(&a, uid, 100, start), 0);
	assert_int_not_equal(quota_take(&a, ME, 100, start), 0);
	assert_int_equal(a.n, QUOTA_USERS);
}

static void turns(void **state)
{
	static struct askers a;

	assert_int_equal(quota_turn(&a, ME), 0);
	quota_serve(&a, ME);
	assert_true(quota_turn(&a, YOU) < quota_turn(&a, ME));
	quota_serve(&a, YOU);
	assert_true(quota_turn(&a, ME) < quota_turn(&a, YOU));
	quota_serve(&a, ME);
	assert_true(quota_turn(&a, YOU) < quota_turn(&a, ME));
}

/* Users without end, as who has subordinate ones can be, of whom each asks once: who waits has his turn, too.
 */
static void newcomers(void **state)
{
	static struct askers a;
	uint32_t uid = 5000;

	quota_take(&a, ME, 100, start);
	quota_serve(&a, ME);
	quota_take(&a, ME, 100, start);
	while (quota_turn(&a, ME) > quota_turn(&a, uid)) {
		assert_true(uid < 5000 + 3 * QUOTA_USERS);
		quota_take(&a, uid, 100, start);
		quota_serve(&a, uid++);
	}
}

static void news(void **state)
{
	static struct askers a;

	assert_true(quota_is_news(&a, ME, start));
	assert_false(quota_is_news(&a, ME, start + SECOND - 1));
	assert_true(quota_is_news(&a, YOU, start));
	assert_true(quota_is_news(&a, ME, start + SECOND));
	assert_false(quota_is_news(&a, ME, start + SECOND + 1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_then_a_rate),
		cmocka_unit_test(each_by_himself),
		cmocka_unit_test(a_crowd),
		cmocka_unit_test(turns),
		cmocka_unit_test(newcomers),
		cmocka_unit_test(news),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
