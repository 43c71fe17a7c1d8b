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

static int hand_over(const int maps[LOAD_MAPS])
{
	int err = 0;

	for (int i = 0; i < LOAD_MAPS && !err; i++) {
		struct broker_request request = {.order = BROKER_TRACED_MAP, .number = (uint64_t)i};
		struct broker_answer answer = {0};
		int none;

		err = broker_call(&request, maps[i], -1, &answer, &none);
	}
	return err;
}

int made_traced(const int maps[LOAD_MAPS], int made[TRACED_OBJECTS])
{
	int err = hand_over(maps);

	for (int i = 0; i < TRACED_OBJECTS && !err; i++) {
		struct broker_request request = {.order = BROKER_MAKE_TRACED, .number = (uint64_t)i};

		made[i] = ask(&request, -1, -1);
		if (made[i] >= 0)
			continue;
		err = made[i];
		while (i-- > 0)
			close(made[i]);
	}
	return err;
}
