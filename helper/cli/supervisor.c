// SPDX-License-Identifier: BSD-2-Clause
/* The supervisor's loop, and the threads in which calls are answered. */
#include "helper/cli/supervisor.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper/cli/duration.h"
#include "helper/cli/supervise.h"

#define CALLS_MAX 32	 /* at a time; further ones wait */
#define STACK	  524288 /* of a thread */
#define NAP_US	  10000	 /* until it is looked again for a thread that is done */

/* A call that is being answered: in memory of both processes, so that one finds what the other left. */
struct slot {
	atomic_bool taken;
	struct seccomp_notif request;
	struct supervisor *supervisor;
};

static void respond(struct supervisor *s, uint64_t id, int result, const struct done_call *d)
{
	struct seccomp_notif_resp *response;
	bool delivered;

	if (seccomp_notify_alloc(NULL, &response) != 0)
		_exit(1); /* the other one may have more luck */
	memset(response, 0, sizeof(*response));
	response->id = id;
	if (result == GO_ON)
		response->flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
	else
		response->error = result;
	delivered = seccomp_notify_respond(s->notify, response) == 0;
	free(response);
	pthread_mutex_lock(&s->lock);
	if (delivered)
		undelivered_forget(&s->undelivered, d);
	else
		undelivered_finish(&s->undelivered, d);
	pthread_mutex_unlock(&s->lock);
}

static void *serve_one(void *argument)
{
	struct slot *slot = argument;
	struct done_call d = {0};
	int result = answer(slot->supervisor, &slot->request, &d);

	respond(slot->supervisor, slot->request.id, result, &d);
	atomic_store(&slot->taken, false);
	return NULL;
}

static void start(struct supervisor *s, struct slot *slot)
{
	pthread_attr_t attributes;
	pthread_t thread;

	slot->supervisor = s;
	atomic_store(&slot->taken, true);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK);
	if (pthread_create(&thread, &attributes, serve_one, slot) != 0)
		serve_one(slot); /* where no more threads are allowed, one call waits for the other */
	pthread_attr_destroy(&attributes);
}

static struct slot *find_free(struct slot slots[CALLS_MAX])
{
	for (int i = 0; i < CALLS_MAX; i++) {
		if (!atomic_load(&slots[i].taken))
			return &slots[i];
	}
	return NULL;
}

static void receive(struct supervisor *s, struct seccomp_notif *request, struct slot *slot)
{
	memset(request, 0, sizeof(*request));
	if (seccomp_notify_receive(s->notify, request) != 0)
		return; /* it was interrupted or killed */
	slot->request = *request;
	start(s, slot);
}

_Noreturn static void serve(struct supervisor *s, struct slot slots[CALLS_MAX])
{
	struct pollfd asked = {.fd = s->notify, .events = POLLIN};
	struct seccomp_notif *request;

	if (seccomp_notify_alloc(&request, NULL) != 0)
		_exit(1);
	for (int i = 0; i < CALLS_MAX; i++) { /* what the other one has left */
		if (atomic_load(&slots[i].taken))
			start(s, &slots[i]);
	}
	for (;;) {
		struct slot *slot = find_free(slots);

		if (poll(&asked, 1, -1) < 0 && errno != EINTR)
			_exit(1);
		if (asked.revents & (POLLHUP | POLLERR))
			_exit(0); /* nobody is left who could ask */
		if (!slot)
			usleep(NAP_US);
		else if (asked.revents & POLLIN)
			receive(s, request, slot);
	}
}

/* What it ended with: 0 when nobody was left who could ask. */
static int wait_for_end(pid_t worker)
{
	int status;

	while (waitpid(worker, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return status;
}

void supervisor(int notify, const char *text, size_t length)
{
	const char *on_error = getenv("SKL_ON_ERROR"), *wait_for = getenv("SKL_WAIT");
	struct supervisor s = {.notify = notify, .text = text, .length = length};
	struct slot *slots = mmap(NULL, CALLS_MAX * sizeof(*slots), PROT_READ | PROT_WRITE,
				  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pid_t worker;

	if (slots == MAP_FAILED)
		_exit(1);
	pthread_mutex_init(&s.lock, NULL);
	s.warn = on_error && strcmp(on_error, "warn") == 0;
	if (wait_for && *wait_for && duration_parse(wait_for, &s.wait_ms) != 0)
		s.wait_ms = 0;
	if (getrandom(&s.instance, sizeof(s.instance), 0) != sizeof(s.instance) || !s.instance)
		s.instance = 1;
	/*
	 * Without anybody to ask, every listen() and bind() of the program would
	 * fail with ENOSYS. So one process works, and the other one is there for
	 * the case that it dies, and only then; the one that works needs no other.
	 */
	worker = fork();
	if (worker == 0)
		serve(&s, slots);
	s.alone = worker > 0;
	if (worker > 0 && wait_for_end(worker) == 0)
		_exit(0);
	serve(&s, slots);
}
