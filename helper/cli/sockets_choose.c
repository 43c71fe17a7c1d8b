// SPDX-License-Identifier: BSD-2-Clause
/* Which of a program's sockets is meant. */
#include <errno.h>
#include <unistd.h>

#include "helper/cli/skl.h"
#include "helper/cli/sockets.h"

static void tell_choice(const struct sockets *s)
{
	for (size_t i = 0; i < s->n; i++) {
		char text[ADDRESS_TEXT];
		size_t earlier = 0;

		while (earlier < i && !sockets_same_listener(&s->all[earlier], &s->all[i]))
			earlier++;
		address_format(&s->all[i].address, text);
		if (earlier == i)
			complain("    --listen %s", text);
	}
}

int sockets_choose(struct sockets *s, pid_t pid, const char *listen, const struct address_pattern *pattern)
{
	size_t n = 0;

	if (s->n == 0) {
		complain("attach: process %d: it has no listening TCP socket", pid);
		return -ENOENT;
	}
	if (!listen) {
		for (size_t i = 1; i < s->n; i++) {
			if (sockets_same_listener(&s->all[0], &s->all[i]))
				continue;
			complain("attach: process %d: it listens on several addresses; say which:", pid);
			tell_choice(s);
			return -EINVAL;
		}
		return 0;
	}
	for (size_t i = 0; i < s->n; i++)
		n += address_matches(&s->all[i].address, pattern);
	if (n == 0) {
		complain("attach: process %d: it does not listen on %s, but on:", pid, listen);
		tell_choice(s);
		return -ENOENT;
	}
	n = 0;
	for (size_t i = 0; i < s->n; i++) {
		if (address_matches(&s->all[i].address, pattern))
			s->all[n++] = s->all[i];
		else
			close(s->all[i].fd);
	}
	s->n = n;
	return 0;
}
