// SPDX-License-Identifier: BSD-2-Clause
/* What the helper itself does not open: the policy file, and the system's users and groups. */
#include "helper/broker/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "helper/names.h"
#include "helper/policy_read.h"

int broker_open_policy(const char *path)
{
	return policy_open(path);
}

int broker_find_id(const struct broker_request *request, uint32_t *id)
{
	if (!memchr(request->name, '\0', sizeof(request->name)))
		return -EINVAL;
	return request->order == BROKER_USER ? names_system.user(NULL, request->name, id)
					     : names_system.group(NULL, request->name, id);
}
