// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is looked for among the descriptors of processes is done by a thread:
 * a user may have as many as he likes, and of one epoll instance alone the
 * kernel may tell for seconds. Nobody else waits for that. Of each user and
 * kind one thing is looked for at a time, so that a program that joins does not
 * wait for all descriptors of the machine, and the answers are kept until they
 * are asked for again: also while other things are looked for, or whoever has
 * two shares would wait without end.
 */
#include "helper/broker/parts.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define JOBS	     64
#define JOBS_ROOT    8	  /* of these, that nobody else has: one person may have thousands of uids */
#define KEPT_EACH    8	  /* answers for one user */
#define PATIENCE_MS  20	  /* so long the asker waits */
#define CPU_MS	     5000 /* so long it may take in all */
#define KEPT_MS	     3000 /* an answer that is older is of no use */
#define STACK	     262144
#define TURNS_BEFORE 32 /* looks at the clock are system calls */

struct job {
	bool used, done, late;
	uint32_t order, uid;
	unsigned int turns;
	int error;
	void *rest;
	size_t size;
	uint64_t ended_at;
	struct holders_question head;
	struct holders_list found;
};

static struct job jobs[JOBS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended;

static uint64_t ms_of(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

uint64_t job_ms(void)
{
	return ms_of(CLOCK_THREAD_CPUTIME_ID);
}

bool job_is_late(struct job *job)
{
	if (!job->late && job->turns++ % TURNS_BEFORE == 0)
		job->late = job_ms() >= CPU_MS;
	return job->late;
}

static void *work(void *argument)
{
	struct job *job = argument;
	int err;

	if (job->order == BROKER_HOLDERS)
		err = broker_find_holders(job, &job->head, job->rest, job->uid, &job->found);
	else
		err = broker_is_polled(job, &job->head, job->rest);
	pthread_mutex_lock(&lock);
	job->error = err;
	job->ended_at = ms_of(CLOCK_MONOTONIC);
	job->done = true;
	pthread_cond_signal(&ended);
	pthread_mutex_unlock(&lock);
	return NULL;
}

static int start(struct job *job)
{
	pthread_attr_t attributes;
	sigset_t all, before;
	pthread_t thread;
	int err = pthread_attr_init(&attributes);

	if (err)
		return -err;
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attributes, STACK);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(&thread, &attributes, work, job);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -err;
}

static void release(struct job *job)
{
	free(job->rest);
	free(job->found.at);
	*job = (struct job){0};
}

static bool is_at_work(uint32_t uid, uint32_t order)
{
	for (size_t i = 0; i < JOBS; i++) {
		if (jobs[i].used && jobs[i].uid == uid && jobs[i].order == order && !jobs[i].done)
			return true;
	}
	return false;
}

static bool is_older(const struct job *a, const struct job *b)
{
	return !b || a->ended_at < b->ended_at;
}

/* One that nobody has, or the oldest that nobody has come back for: the user's own where he has many. Root
 * looks at the places that are its own first. */
static struct job *find_place(uint32_t uid)
{
	struct job *place = NULL, *oldest = NULL, *own = NULL;
	size_t n = 0;

	for (size_t i = uid == 0 ? JOBS : JOBS - JOBS_ROOT; i-- > 0;) {
		struct job *job = &jobs[i];

		if (!job->used) {
			place = place ? place : job;
			continue;
		}
		if (!job->done)
			continue;
		if (is_older(job, oldest))
			oldest = job;
		if (job->uid == uid && ++n && is_older(job, own))
			own = job;
	}
	if (n >= KEPT_EACH)
		place = own;
	else if (!place)
		place = oldest;
	if (place)
		release(place);
	return place;
}

static bool is_same(const struct job *a, const struct job *b)
{
	return a->order == b->order && a->size == b->size &&
	       memcmp(&a->head, &b->head, sizeof(a->head)) == 0 && memcmp(a->rest, b->rest, a->size) == 0;
}

static struct job *find(const struct job *question)
{
	for (size_t i = 0; i < JOBS; i++) {
		if (jobs[i].used && jobs[i].uid == question->uid && is_same(&jobs[i], question))
			return &jobs[i];
	}
	return NULL;
}

static void release_old(void)
{
	uint64_t now = ms_of(CLOCK_MONOTONIC);

	for (size_t i = 0; i < JOBS; i++) {
		if (jobs[i].used && jobs[i].done && now - jobs[i].ended_at > KEPT_MS)
			release(&jobs[i]);
	}
}

/* The job that answers this question; is it a fresh one? Takes what belongs to the question. */
static int get(struct job *question, struct job **out, bool *fresh)
{
	struct job *job;
	int err;

	release_old();
	job = find(question);
	*fresh = !job;
	*out = job;
	if (job) {
		release(question);
		return 0;
	}
	job = is_at_work(question->uid, question->order) ? NULL : find_place(question->uid);
	if (!job) {
		release(question);
		return -EAGAIN;
	}
	*job = *question;
	err = start(job);
	if (err)
		release(job);
	*out = job;
	return err;
}

static void wait_for(const struct job *job)
{
	struct timespec until;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += PATIENCE_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!job->done && !err)
		err = pthread_cond_timedwait(&ended, &lock, &until);
}

static int collect(struct job *job, int answer)
{
	size_t size = job->found.n * sizeof(*job->found.at);
	int err = job->error;

	if (!err && size && write(answer, job->found.at, size) != (ssize_t)size)
		err = -EIO;
	release(job);
	return err;
}

static void prepare(void)
{
	static bool prepared;
	pthread_condattr_t attributes;

	if (prepared)
		return;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&ended, &attributes);
	pthread_condattr_destroy(&attributes);
	prepared = true;
}

int broker_search(const struct broker_request *request, int question, int answer)
{
	struct job asked = {.used = true, .order = request->order, .uid = request->uid}, *job;
	bool fresh;
	int err;

	/* what the helper is sent by somebody else is neither read nor written with the broker's rights */
	if (fcntl(question, F_GET_SEALS) < 0 || (answer >= 0 && fcntl(answer, F_GET_SEALS) < 0))
		return -EBADF;
	err = broker_read_question(question, &asked.head, &asked.rest, &asked.size);
	if (err)
		return err;
	prepare();
	pthread_mutex_lock(&lock);
	err = get(&asked, &job, &fresh);
	if (!err) {
		if (fresh) /* who asks again has waited */
			wait_for(job);
		err = job->done ? collect(job, answer) : -EINPROGRESS;
	}
	pthread_mutex_unlock(&lock);
	return err;
}
