/* SPDX-License-Identifier: BSD-2-Clause */
/* Policies from text, in a world of four users and three groups. */
#ifndef SKL_TESTS_UNIT_POLICIES_H
#define SKL_TESTS_UNIT_POLICIES_H

#include "tests/unit/objects.h"

#include "helper/rules/grants.h"

static inline int find_in(const char *const *names, const uint32_t *ids, size_t n, const char *name,
			  uint32_t *id)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(names[i], name) == 0) {
			*id = ids[i];
			return 0;
		}
	}
	return strcmp(name, "slow") == 0 ? -EIO : -ENOENT;
}

static inline int find_user(void *context, const char *name, uint32_t *id)
{
	static const char *const names[] = {"root", "alice", "bob", "www-data"};
	static const uint32_t ids[] = {0, 1000, 1001, 33};

	return find_in(names, ids, COUNT(names), name, id);
}

static inline int find_group(void *context, const char *name, uint32_t *id)
{
	static const char *const names[] = {"users", "www-data", "dns"};
	static const uint32_t ids[] = {100, 33, 53};

	return find_in(names, ids, COUNT(names), name, id);
}

static const struct names some_names = {.user = find_user, .group = find_group};

static inline void expect_no_mistake(void *context, unsigned int line, bool mistake, const char *sentence)
{
	if (mistake)
		fail_msg("the test means a policy: line %u: %s", line, sentence);
}

static inline struct policy *policy_of(const char *text)
{
	struct policy *p;

	assert_int_equal(grants_parse(text, strlen(text), &some_names, expect_no_mistake, NULL, &p), 0);
	return p;
}

#endif
