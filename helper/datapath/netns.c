// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/netns.h"

#include <errno.h>

#include "helper/broker/broker.h"

/* For those orders whose answer is a descriptor. */
static int call_for_fd(struct broker_request *request, int fd, struct broker_answer *answer)
{
	int got, err = broker_call(request, fd, -1, answer, &got);

	if (err)
		return err;
	return got < 0 ? -EPROTO : got;
}

int netns_look(int netns, struct netns_view *out)
{
	struct broker_request request = {.order = BROKER_LOOK};
	struct broker_answer answer = {0};
	int fd = call_for_fd(&request, netns, &answer);

	if (fd < 0)
		return fd;
	out->diag = fd;
	out->first_free_port = answer.first_free_port;
	out->first_local_port = answer.first_local_port;
	out->last_local_port = answer.last_local_port;
	return 0;
}

int netns_find(uint64_t ino)
{
	struct broker_request request = {.order = BROKER_FIND, .number = ino};
	struct broker_answer answer = {0};

	return call_for_fd(&request, -1, &answer);
}

int netns_attach_reply(int netns, int program)
{
	struct broker_request request = {.order = program < 0 ? BROKER_DETACH : BROKER_ATTACH};
	struct broker_answer answer = {0};
	int none;

	return broker_call(&request, netns, program, &answer, &none);
}
