// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/made.h"

#include <errno.h>
#include <unistd.h>

#include "helper/broker/broker.h"

static int ask(struct broker_request *request, int fd, int second)
{
	struct broker_answer answer = {0};
	int got, err = broker_call(request, fd, second, &answer, &got);

	if (err)
		return err;
	return got < 0 ? -EPROTO : got;
}

int made_dispatch(int fds[LOAD_OBJECTS])
{
	for (int i = 0; i < LOAD_OBJECTS; i++) {
		struct broker_request request = {.order = BROKER_MAKE, .number = (uint64_t)i};
		int err;

		fds[i] = ask(&request, -1, -1);
		if (fds[i] >= 0)
			continue;
		err = fds[i];
		while (i-- > 0)
			close(fds[i]);
		return err;
	}
	return 0;
}

int made_reply(int tables, int flows)
{
	struct broker_request request = {.order = BROKER_MAKE_REPLY};

	return ask(&request, tables, flows);
}
