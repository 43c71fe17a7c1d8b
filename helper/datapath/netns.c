// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/netns.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

static int call_about_route(int netns, uint32_t order, const struct prefix *p, struct broker_answer *answer)
{
	struct broker_request request = {.order = order, .prefix = *p};
	int none;

	return broker_call(&request, netns, -1, answer, &none);
}

int netns_look_at_route(int netns, const struct prefix *p, struct routes_view *out)
{
	struct broker_answer answer;
	int err = call_about_route(netns, BROKER_ROUTE_LOOK, p, &answer);

	if (!err)
		*out = answer.route;
	return err;
}

int netns_add_route(int netns, const struct prefix *p)
{
	struct broker_answer answer;

	return call_about_route(netns, BROKER_ROUTE_ADD, p, &answer);
}

int netns_delete_route(int netns, const struct prefix *p)
{
	struct broker_answer answer;

	return call_about_route(netns, BROKER_ROUTE_DELETE, p, &answer);
}

int netns_crowded_routes(int netns, struct prefix out[NETNS_CROWDED])
{
	struct broker_request request = {.order = BROKER_ROUTE_CROWDED};
	struct broker_answer answer;
	int none, err = broker_call(&request, netns, -1, &answer, &none);

	_Static_assert(NETNS_CROWDED == BROKER_PREFIXES, "all of an answer");
	if (err)
		return err;
	memcpy(out, answer.prefixes, sizeof(answer.prefixes));
	return (int)answer.n_prefixes;
}

int netns_routes(int netns, struct prefix **out)
{
	struct broker_request request = {.order = BROKER_ROUTE_LIST};
	struct broker_answer answer;
	int none, err;

	*out = NULL;
	do {
		struct prefix *larger;

		err = broker_call(&request, netns, -1, &answer, &none);
		if (err)
			break;
		larger = reallocarray(*out, request.number + BROKER_PREFIXES, sizeof(**out));
		if (!larger) {
			err = -ENOMEM;
			break;
		}
		*out = larger;
		memcpy(larger + request.number, answer.prefixes, answer.n_prefixes * sizeof(**out));
		request.number += answer.n_prefixes;
	} while (answer.n_prefixes == BROKER_PREFIXES);
	if (!err)
		return (int)request.number;
	free(*out);
	*out = NULL;
	return err;
}

int netns_clear(int netns)
{
	int err = netns_attach_reply(netns, -1);
	struct prefix *routes = NULL;
	int n = netns_routes(netns, &routes);

	if (!err && n < 0)
		err = n;
	for (int i = 0; routes && i < n; i++) {
		int one = netns_delete_route(netns, &routes[i]);

		if (one && one != -ESRCH)
			err = one;
	}
	free(routes);
	return err;
}
