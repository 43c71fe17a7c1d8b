// SPDX-License-Identifier: BSD-2-Clause
/* The report, asked of the helper. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "helper/cli/client.h"
#include "helper/cli/report.h"
#include "helper/cli/skl.h"

int report_fetch(struct report *report)
{
	struct client_answer answer;
	int err = client_ask(SKL_STATUS, 0, NULL, 0, -1, &answer);

	if (err) {
		client_complain(err);
		return err;
	}
	if (answer.error) {
		complain("%s: %s", client_helper(), *answer.text ? answer.text : strerror(answer.error));
		err = -answer.error;
	} else if (answer.fd < 0) {
		client_complain(err = -EBADMSG);
	} else {
		err = report_read(answer.fd, report);
		if (err)
			complain("%s: what the helper reports cannot be read: %s", client_helper(),
				 strerror(-err));
	}
	if (answer.fd >= 0)
		close(answer.fd);
	return err;
}
