// SPDX-License-Identifier: BSD-2-Clause
/*
 * Numbers that packets may still be reading: none is given out twice, and
 * none again before a grace period. The pool is included rather than linked,
 * so that the grace periods, which are system calls, can be counted.
 */
#include "tests/unit/objects.h"

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static size_t grace_periods, naps;
static bool refuse_membarrier;

static long fake_syscall(long number, int command, int flags, int cpu)
{
	assert_int_equal(number, SYS_membarrier);
	assert_int_equal(command, MEMBARRIER_CMD_GLOBAL);
	assert_int_equal(flags, 0);
	if (refuse_membarrier) {
		errno = EINVAL;
		return -1;
	}
	grace_periods++;
	return 0;
}

static int fake_nanosleep(const struct timespec *time, struct timespec *left)
{
	/* no program that looks a packet up runs this long */
	assert_true(time->tv_sec > 0 || time->tv_nsec >= 50 * 1000 * 1000);
	assert_null(left);
	naps++;
	grace_periods++;
	return 0;
}

#define syscall	  fake_syscall
#define nanosleep fake_nanosleep
#include "helper/datapath/pool.c"
#undef syscall
#undef nanosleep

static int reset(void **state)
{
	grace_periods = naps = 0;
	refuse_membarrier = false;
	return 0;
}

static void every_number_once(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 100, 65536};

	for (size_t i = 0; i < COUNT(sizes); i++) {
		static bool taken[65536];
		struct pool p;

		memset(taken, 0, sizeof(taken));
		assert_int_equal(pool_init(&p, sizes[i]), 0);
		for (uint32_t k = 1; k < sizes[i]; k++) {
			uint16_t number = pool_take(&p);

			assert_true(number > 0 && number < sizes[i] && !taken[number]);
			taken[number] = true;
		}
		assert_int_equal(pool_take(&p), 0);
		assert_int_equal(pool_take(&p), 0);
		assert_int_equal(grace_periods, 0); /* nobody has read what was never used */
		pool_clear(&p);
		pool_clear(&p);
	}
}

static void again_only_after_a_grace_period(void **state)
{
	struct pool p;

	assert_int_equal(pool_init(&p, 4), 0);
	assert_int_equal(pool_take(&p), 1);
	pool_give(&p, 1);
	assert_int_equal(pool_take(&p), 2);
	assert_int_equal(pool_take(&p), 3);
	assert_int_equal(grace_periods, 0); /* there were others */
	assert_int_equal(pool_take(&p), 1);
	assert_int_equal(grace_periods, 1);
	assert_int_equal(pool_take(&p), 0);

	/* one wait is for all that were given back before it */
	pool_give(&p, 3);
	pool_give(&p, 1);
	pool_give(&p, 2);
	assert_int_equal(pool_take(&p), 3);
	assert_int_equal(pool_take(&p), 1);
	assert_int_equal(grace_periods, 2);
	/* and not for those after it */
	pool_give(&p, 3);
	assert_int_equal(pool_take(&p), 2);
	assert_int_equal(grace_periods, 2);
	assert_int_equal(pool_take(&p), 3);
	assert_int_equal(grace_periods, 3);
	pool_clear(&p);
}

static void without_membarrier_it_sleeps(void **state)
{
	refuse_membarrier = true;
	pool_grace_period();
	assert_int_equal(naps, 1);
	refuse_membarrier = false;
	pool_grace_period();
	assert_int_equal(naps, 1);
	assert_int_equal(grace_periods, 2);
}

static void claimed_numbers_are_not_given_out(void **state)
{
	struct pool p;

	assert_int_equal(pool_init(&p, 6), 0);
	assert_int_equal(pool_claim(&p, 2), 0);
	assert_int_equal(pool_claim(&p, 5), 0);
	assert_int_equal(pool_claim(&p, 2), -EEXIST);
	assert_int_equal(pool_claim(&p, 0), -EEXIST);
	assert_int_equal(pool_claim(&p, 6), -EEXIST);
	assert_int_equal(pool_claim(&p, 65535), -EEXIST);
	/* an earlier helper may have given the others back a moment ago */
	assert_int_equal(pool_take(&p), 1);
	assert_int_equal(grace_periods, 1);
	assert_int_equal(pool_claim(&p, 1), -EEXIST);
	assert_int_equal(pool_take(&p), 3);
	assert_int_equal(pool_take(&p), 4);
	assert_int_equal(pool_take(&p), 0);
	pool_give(&p, 5);
	assert_int_equal(pool_take(&p), 5);
	assert_int_equal(grace_periods, 2);
	pool_clear(&p);
}

static void claimed_in_the_middle(void **state)
{
	struct pool p;

	assert_int_equal(pool_init(&p, 6), 0);
	assert_int_equal(pool_take(&p), 1);
	pool_give(&p, 1);
	assert_int_equal(pool_claim(&p, 3), 0);
	pool_give(&p, 3); /* at once, before anything is taken */
	assert_int_equal(pool_claim(&p, 4), 0);
	for (size_t i = 0; i < 4; i++)
		assert_true(pool_take(&p) != 4);
	assert_int_equal(pool_take(&p), 0);
	assert_true(grace_periods >= 1);
	pool_clear(&p);
}

static void what_is_not_in_use_cannot_be_given_back(void **state)
{
	struct pool p;

	assert_int_equal(pool_init(&p, 3), 0);
	pool_give(&p, 0);
	pool_give(&p, 1);
	pool_give(&p, 3);
	pool_give(&p, 65535);
	assert_int_equal(pool_take(&p), 1);
	pool_give(&p, 1);
	pool_give(&p, 1);
	assert_int_equal(pool_take(&p), 2);
	assert_int_equal(pool_take(&p), 1);
	assert_int_equal(pool_take(&p), 0);
	pool_clear(&p);
}

/* Against the two plain statements: not in use, and a grace period since it last was. */
static void random_use(void **state)
{
	enum { SIZE = 20 };
	size_t used_until[SIZE] = {
		0}; /* grace periods seen when it was given back, counted from 1; 0: never used */
	bool used[SIZE] = {false};
	size_t n_used = 0;
	struct pool p;

	srandom(6);
	assert_int_equal(pool_init(&p, SIZE), 0);
	for (size_t i = 0; i < 200000; i++) {
		uint16_t number = (uint16_t)(random() % SIZE);

		/* by turns rather taking and rather giving back, so that it runs full and empty */
		if (random() % 8 < (i / 500 % 2 ? 5 : 3)) {
			number = pool_take(&p);
			assert_int_equal(number == 0, n_used == SIZE - 1);
			if (number) {
				assert_false(used[number]);
				assert_true(used_until[number] < grace_periods + 1);
				used[number] = true;
				n_used++;
			}
		} else if (random() % 16 == 0) {
			bool free = number && !used[number];

			assert_int_equal(pool_claim(&p, number), free ? 0 : -EEXIST);
			used[number] |= free;
			n_used += free;
		} else {
			pool_give(&p, number);
			if (used[number]) {
				used[number] = false;
				used_until[number] = grace_periods + 1;
				n_used--;
			}
		}
	}
	assert_true(grace_periods > 100 && grace_periods < 100000);
	pool_clear(&p);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_number_once, reset),
		cmocka_unit_test_setup(again_only_after_a_grace_period, reset),
		cmocka_unit_test_setup(without_membarrier_it_sleeps, reset),
		cmocka_unit_test_setup(claimed_numbers_are_not_given_out, reset),
		cmocka_unit_test_setup(claimed_in_the_middle, reset),
		cmocka_unit_test_setup(what_is_not_in_use_cannot_be_given_back, reset),
		cmocka_unit_test_setup(random_use, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
