// SPDX-License-Identifier: BSD-2-Clause
/* The server's descriptors: how they are opened, and closed. */
#include "helper/server/state.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper/broker/broker.h"
#include "helper/server/parts.h"
#include "helper/server/source.h"

static int open_signals(struct server *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return -errno;
	signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? -errno : 0;
}

static int open_listener(struct server *s, const struct server_options *options)
{
	struct sockaddr_un address = {0};
	socklen_t length = sizeof(address);

	s->arrivals.listener = activation_socket();
	s->inherited = s->arrivals.listener >= 0;
	if (s->arrivals.listener == -ENOENT)
		s->arrivals.listener = socket_open(options);
	if (s->arrivals.listener < 0)
		return s->arrivals.listener;
	if (getsockname(s->arrivals.listener, (struct sockaddr *)&address, &length) < 0)
		return -errno;
	snprintf(s->address, sizeof(s->address), "%.*s", (int)sizeof(address.sun_path), address.sun_path);
	return arrivals_watch(&s->arrivals);
}

const char *server_address(const struct server *s)
{
	return s->address;
}

int server_open(struct server **out, const struct server_options *options, struct policy_file *policy,
		struct spaces *spaces, struct sharing *sharing)
{
	struct server *s = calloc(1, sizeof(*s));
	int err;

	if (!s)
		return -ENOMEM;
	s->spaces = spaces;
	s->sharing = sharing;
	s->policy = policy;
	s->exit_idle = options->exit_idle;
	s->signals = -1;
	s->next_tick = s->next_shares = 1;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	connections_init(&s->connections, s->epoll);
	s->arrivals = (struct arrivals){
		.epoll = s->epoll, .listener = -1, .policy = policy, .connections = &s->connections};
	expected_init(&s->expected, s->epoll);
	s->tracing.epoll = -1;
	err = s->epoll < 0 ? -errno : 0;
	if (!err)
		err = open_signals(s);
	if (!err)
		err = source_watch(s->epoll, s->signals, FROM_SIGNALS, 0);
	if (!err)
		err = source_watch(s->epoll, broker_fd(), FROM_BROKER, 0);
	if (!err)
		err = source_watch(s->epoll, sharing->epoll, FROM_SHARES, 0);
	if (!err)
		err = tracing_open(&s->tracing);
	if (!err)
		err = source_watch(s->epoll, s->tracing.epoll, FROM_TRACING, 0);
	if (!err)
		err = open_listener(s, options);
	if (err) {
		server_close(s);
		return err;
	}
	*out = s;
	return 0;
}

/* By the broker: this process does not see it any more. */
static void unlink_socket(void)
{
	struct broker_request request = {.order = BROKER_UNLINK_SOCKET};
	struct broker_answer answer;
	int none;

	broker_call(&request, -1, -1, &answer, &none);
}

void server_close(struct server *s)
{
	if (s->arrivals.listener >= 0 && !s->inherited)
		unlink_socket();
	connections_close(&s->connections);
	tracing_close(&s->tracing);
	expected_close(&s->expected);
	if (s->arrivals.listener >= 0)
		close(s->arrivals.listener);
	if (s->signals >= 0)
		close(s->signals);
	if (s->epoll >= 0)
		close(s->epoll);
	free(s);
}
