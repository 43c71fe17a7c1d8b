/* SPDX-License-Identifier: BSD-2-Clause */
/* A registry from two lines of text, so that a table of cases can be read. */
#ifndef SKL_TESTS_UNIT_SCENE_H
#define SKL_TESTS_UNIT_SCENE_H

#include "tests/unit/objects.h"

/* Takes the next part of "PART, PART" off *text into `out`. */
static inline bool next_part(const char **text, char *out, size_t size)
{
	size_t length = strcspn(*text, ",");

	if (**text == '\0')
		return false;
	if (length >= size)
		fail_msg("the test means parts: \"%s\"", *text);
	memcpy(out, *text, length);
	out[length] = '\0';
	*text += length;
	*text += strspn(*text, ", ");
	return true;
}

/*
 * given: "xa 10.0.0.0/8 80-89, yb ::/0 *", each a binding: users x and y, listeners a to c, which are bound
 * to port 9000 of every address of both families. A binding's number and age is its place, counted from 1.
 * held: "127.0.0.1 22, 0.0.0.0/0 53", each a socket of root.
 */
static inline void make_scene(struct table *t, const char *given, const char *held)
{
	struct holder holders[8];
	struct listener *l[3];
	char part[80], prefix[40], ports[16], user, listener;
	size_t n = 0;

	for (size_t i = 0; i < COUNT(l); i++)
		l[i] = add_listener(t, "::", 9000, 0);
	while (next_part(&given, part, sizeof(part))) {
		if (sscanf(part, "%c%c %39s %15s", &user, &listener, prefix, ports) != 4)
			fail_msg("the test means a binding: \"%s\"", part);
		add_binding(t, l[listener - 'a'], 1000u + (uint32_t)(user - 'x'), rule_of(prefix, ports));
	}
	while (next_part(&held, part, sizeof(part))) {
		if (n == COUNT(holders) || sscanf(part, "%39s %15s", prefix, ports) != 2)
			fail_msg("the test means a socket: \"%s\"", part);
		holders[n] = holder_of(prefix, rule_of(prefix, ports).first, 0, n);
		n++;
	}
	set_holders(t, holders, n, NULL, NULL);
}

#endif
