// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIB "$LIB"

/* Is it in the directory that this very program was started from? */
static bool find_beside(const char *name, char path[PATH_MAX])
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	if (n <= 0)
		return false;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return false;
	*slash = '\0';
	n = snprintf(path, PATH_MAX, "%s/%s", self, name);
	return n < PATH_MAX && access(path, F_OK) == 0;
}

bool place_has_proc(void)
{
	char self[2];

	return readlink("/proc/self/exe", self, sizeof(self)) > 0;
}

bool place_expand(const char *path, unsigned int n, char file[PATH_MAX])
{
	static const char *const directories[] = {
		"lib/x86_64-linux-gnu",
		"lib/aarch64-linux-gnu",
		"lib/i386-linux-gnu",
		"lib64",
		"lib32",
		"lib",
	};
	const char *lib = strstr(path, LIB);

	if (n >= (lib ? sizeof(directories) / sizeof(directories[0]) : 1))
		return false;
	if (lib)
		snprintf(file, PATH_MAX, "%.*s%s%s", (int)(lib - path), path, directories[n],
			 lib + strlen(LIB));
	else
		snprintf(file, PATH_MAX, "%s", path);
	return true;
}

int place_shim(char path[PATH_MAX])
{
	char file[PATH_MAX];

	if (find_beside("libsklshim.so", path))
		return 0;
	snprintf(path, PATH_MAX, "%s", SKL_SHIM_PATH);
	for (unsigned int n = 0; place_expand(path, n, file); n++)
		if (access(file, R_OK) == 0)
			return 0;
	return -ENOENT;
}

int place_helper(char path[PATH_MAX])
{
	if (find_beside("sklhelper", path))
		return 0;
	snprintf(path, PATH_MAX, "%s", SKL_HELPER_PATH);
	return access(path, X_OK) == 0 ? 0 : -ENOENT;
}
