// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/permission.h"

#include <grp.h>
#include <stdio.h>
#include <sys/stat.h>

#include "helper/cli/client.h"

const char *permission_mend(void)
{
	static char text[256];
	const struct group *group;
	struct stat st;

	if (stat(client_helper(), &st) < 0)
		return "be root, or join the group of the socket";
	if (!(st.st_mode & S_IWGRP)) {
		snprintf(text, sizeof(text),
			 "only root may ask, as the helper was started with --mode %04o: be root",
			 (unsigned int)st.st_mode & 07777);
		return text;
	}
	if (st.st_gid == 0) /* there was no group skl when the helper was started, and root's is for nobody
			       to join */
		return "no group may ask this helper: make one and join it (groupadd -r skl; usermod -aG skl "
		       "USER), start the helper again, and log in again";
	group = getgrgid(st.st_gid);
	if (group)
		snprintf(text, sizeof(text),
			 "join the group of the socket, %s, and log in again (usermod -aG %s USER), or be "
			 "root",
			 group->gr_name, group->gr_name);
	else
		snprintf(text, sizeof(text),
			 "the group of the socket, %u, has no name here: be root, or start the helper with "
			 "--group GROUP",
			 st.st_gid);
	return text;
}
