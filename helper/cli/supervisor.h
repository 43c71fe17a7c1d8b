/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The supervisor's process: supervisor.c waits for the program's calls, each of
 * which has a thread of its own, since what one waits for (a helper that is not
 * there yet, a page of the program's) is nothing to the others. answer.c decides.
 */
#ifndef SKL_CLI_SUPERVISOR_H
#define SKL_CLI_SUPERVISOR_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/cli/undelivered.h"

struct seccomp_notif;

struct supervisor {
	int notify;
	const char *text; /* for the helper */
	size_t length;
	uint64_t instance;
	bool warn;
	long wait_ms; /* for a helper that is not there yet */
	bool alone;   /* the one that did the work has died: nothing is claimed any more */
	pthread_mutex_t lock;
	struct undelivered undelivered; /* under the lock */
};

/* Returns GO_ON, 0, or the negative errno that the program's call ends with; *d is what was done for that. */
int answer(struct supervisor *s, const struct seccomp_notif *request, struct done_call *d);

/* remark.c: does the program's stderr take a sentence, or soon? The program would wait for who reads it. */
bool remark_is_taken(void);

/* Says it once, however often it is made: a resolver would make it for each question. */
void remark(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
