// SPDX-License-Identifier: BSD-2-Clause
/* Why the helper did not answer, and what to do about it. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/client.h"
#include "helper/cli/permission.h"
#include "helper/cli/skl.h"
#include "helper/options.h"

const char *client_left(int err)
{
	return err == -ECONNREFUSED || (err == -ENOENT && access(OPTIONS_BPFFS, F_OK) == 0)
		       ? "; what is covered stays covered"
		       : "";
}

void client_complain(int err)
{
	const char *path = client_helper();

	switch (err) {
	case -ENOENT:
	case -ECONNREFUSED:
		complain("%s: %s: no helper answers there: start sklhelper, or let `skl run` as root start "
			 "one%s",
			 path, strerror(-err), client_left(err));
		break;
	case -ECONNRESET:
		complain("%s: the helper hung up without an answer", path);
		break;
	case -EACCES:
		complain("%s: %s: %s", path, strerror(EACCES), permission_mend());
		break;
	case -ETIMEDOUT:
		complain("%s: the helper did not answer within %d s", path, CLIENT_DEADLINE_MS / 1000);
		break;
	case -EPROTONOSUPPORT:
		complain("%s: the helper speaks another version than this skl: start the one that came with "
			 "it",
			 path);
		break;
	case -EBADMSG:
	case -EMSGSIZE:
	case -ETOOMANYREFS:
		complain("%s: what answers there is not a helper", path);
		break;
	case -EPROTOTYPE:
		complain("%s: %s: that socket is not a helper's", path, strerror(-err));
		break;
	default:
		complain("%s: %s", path, strerror(-err));
	}
}
