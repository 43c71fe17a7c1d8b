// SPDX-License-Identifier: BSD-2-Clause
#include "helper/names.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#define BUFFER_MAX (1 << 20) /* a group may have many members */

/*
 * Both calls want a buffer of a size that only they know. What some of them
 * return for a name that there is not is listed in getpwnam(3).
 */
#define LOOK(call, type, field)                                                                              \
	do {                                                                                                 \
		int err = ERANGE;                                                                            \
                                                                                                             \
		for (size_t size = 1024; err == ERANGE && size <= BUFFER_MAX; size *= 4) {                   \
			type entry, *found = NULL;                                                           \
			char *buffer = malloc(size);                                                         \
                                                                                                             \
			if (!buffer)                                                                         \
				return -ENOMEM;                                                              \
			err = call(name, &entry, buffer, size, &found);                                      \
			if (found)                                                                           \
				*id = found->field;                                                          \
			free(buffer);                                                                        \
			if (found)                                                                           \
				return 0;                                                                    \
		}                                                                                            \
		return err == 0 || err == ESRCH || err == EBADF || err == EPERM ? -ENOENT : -err;            \
	} while (0)

static int find_user(void *context, const char *name, uint32_t *id)
{
	LOOK(getpwnam_r, struct passwd, pw_uid);
}

static int find_group(void *context, const char *name, uint32_t *id)
{
	LOOK(getgrnam_r, struct group, gr_gid);
}

const struct names names_system = {.user = find_user, .group = find_group};

/* A name that there is not is looked for everywhere. */
void names_prepare(void)
{
	uint32_t none;

	find_user(NULL, "skl-nobody", &none);
	find_group(NULL, "skl-nobody", &none);
}
