// SPDX-License-Identifier: BSD-2-Clause
/* Sentences: one line each, bounded, and the end shows where something is missing. */
#include "tests/unit/objects.h"

#include "helper/say.h"

static char words[3 * SKL_SAY_MAX];

static int fill_words(void **state)
{
	for (size_t i = 0; i < sizeof(words) - 1; i++)
		words[i] = (char)('a' + i % 26);
	return 0;
}

/* What is always true of it, whatever was said. */
static void check(const struct say *s)
{
	assert_true(s->length <= SKL_SAY_MAX);
	assert_int_equal(strlen(s->text), s->length);
	for (size_t i = 0; i < s->length; i++)
		assert_true(s->text[i] == '\n' || (s->text[i] >= ' ' && s->text[i] <= '~'));
}

static void lines(void **state)
{
	struct say s = {0};

	say(&s, "one");
	assert_string_equal(s.text, "one");
	say(&s, "%d and %s", 2, "three");
	check(&s);
	assert_string_equal(s.text, "one\n2 and three");
}

static void errors(void **state)
{
	struct say s = {0};

	assert_int_equal(say_error(&s, EACCES, "tcp port 22", "uid %u may not", 1000u), -EACCES);
	assert_string_equal(s.text, "tcp port 22: Permission denied: uid 1000 may not");
	assert_int_equal(say_error(&s, ENOENT, "100%", "%s", "50%d"), -ENOENT);
	check(&s);
	assert_string_equal(s.text, "tcp port 22: Permission denied: uid 1000 may not\n"
				    "100%: No such file or directory: 50%d");
}

/* What is quoted cannot begin a line of its own, nor talk to a terminal. */
static void only_printable_ascii(void **state)
{
	struct say s = {0};

	say(&s, "%s", "a\nb\tc\x1b[31m\x7f\xc3\xa9\xff ~");
	check(&s);
	assert_string_equal(s.text, "a?b?c?[31m???? ~");
	assert_int_equal(say_error(&s, EINVAL, "x\ny", "%s", "\r\n"), -EINVAL);
	check(&s);
	assert_string_equal(s.text, "a?b?c?[31m???? ~\nx?y: Invalid argument: ??");
	/* also where it is cut */
	for (size_t i = 0; i < 2; i++) {
		say_rewind(&s, 0);
		say(&s, "%s\xff%s", i ? words : "", words);
		check(&s);
		assert_int_equal(s.length, SKL_SAY_MAX);
		assert_int_equal(s.text[0], i ? 'a' : '?');
	}
}

/* One line of each length around the limit. */
static void cut_at_the_limit(void **state)
{
	for (size_t n = SKL_SAY_MAX - 5; n < SKL_SAY_MAX + 5; n++) {
		struct say s = {0};
		size_t fits = n <= SKL_SAY_MAX ? n : SKL_SAY_MAX;

		say(&s, "%.*s", (int)n, words);
		check(&s);
		assert_int_equal(s.length, fits);
		if (n <= SKL_SAY_MAX) {
			assert_memory_equal(s.text, words, n);
		} else {
			assert_memory_equal(s.text, words, SKL_SAY_MAX - 3);
			assert_string_equal(s.text + SKL_SAY_MAX - 3, "...");
		}
	}
}

/* A second line where there is room for n characters after the first, the newline among them. */
static void cut_in_a_later_line(void **state)
{
	for (size_t n = 0; n < 8; n++) {
		struct say s = {0};

		say(&s, "%.*s", (int)(SKL_SAY_MAX - n), words);
		say(&s, "12345");
		check(&s);
		if (n >= 6) {
			assert_string_equal(s.text + SKL_SAY_MAX - n, "\n12345");
		} else {
			assert_int_equal(s.length, SKL_SAY_MAX);
			assert_string_equal(s.text + SKL_SAY_MAX - 3, "...");
			assert_memory_equal(s.text, words, SKL_SAY_MAX - (n > 3 ? n : 3));
		}
	}
}

static void full_stays_full(void **state)
{
	struct say s = {0}, before;

	say(&s, "%s", words);
	before = s;
	for (size_t i = 0; i < 100; i++) {
		say(&s, "%s", i % 2 ? words : "x");
		assert_int_equal(say_error(&s, EINVAL, words, "%s", words), -EINVAL);
	}
	check(&s);
	assert_string_equal(s.text, before.text);
}

static void rewind_forgets(void **state)
{
	struct say s = {0};
	size_t mark;

	say(&s, "kept");
	mark = s.length;
	say(&s, "%s", words);
	say_rewind(&s, mark);
	check(&s);
	assert_string_equal(s.text, "kept");
	say(&s, "new");
	assert_string_equal(s.text, "kept\nnew");
	say_rewind(&s, 0);
	check(&s);
	say(&s, "first again");
	assert_string_equal(s.text, "first again");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(errors),
		cmocka_unit_test(only_printable_ascii),
		cmocka_unit_test(cut_at_the_limit),
		cmocka_unit_test(cut_in_a_later_line),
		cmocka_unit_test(full_stays_full),
		cmocka_unit_test(rewind_forgets),
	};

	return cmocka_run_group_tests(tests, fill_words, NULL);
}
