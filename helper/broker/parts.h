/* SPDX-License-Identifier: BSD-2-Clause */
/* What the broker's process does; its parts, for each other. */
#ifndef SKL_BROKER_PARTS_H
#define SKL_BROKER_PARTS_H

#include <stdbool.h>
#include <sys/types.h>

#include "helper/broker/broker.h"
#include "helper/broker/holders.h"

/* Does in the network namespace `netns` what is ordered. Returns a descriptor for the answer, or -1. */
int broker_work_in(const struct broker_request *request, int netns, int second, struct broker_answer *answer);

/* A descriptor of the network namespace with this inode number, found through the processes in it, or
 * -ENOENT. */
int broker_find_netns(uint64_t ino);

/* ---- jobs.c ---- */

/*
 * BROKER_HOLDERS and BROKER_POLLED, on behalf of request->uid: `question` is a
 * file as holders.h describes it, and struct holders_one are written to the file
 * `answer`. Returns 0, -EBUSY, or
 *   -EINPROGRESS  it takes longer: who asks the same again gets the answer
 *   -EAGAIN       something else is still being looked for on that user's behalf
 *   -ETIME        there is too much to look through
 * or -errno.
 */
int broker_search(const struct broker_request *request, int question, int answer);

struct job;

/* It is to end, with -ETIME. To be asked for each descriptor. */
bool job_is_late(struct job *job);

/* How long the job has worked, ms. */
uint64_t job_ms(void);

/* ---- holders.c, polled.c: in a thread of their own ---- */

struct holders_list {
	struct holders_one *at; /* from malloc */
	size_t n, room;
};

int broker_find_holders(struct job *job, const struct holders_question *head, const void *rest, uint32_t uid,
			struct holders_list *out);

/* 0, -EBUSY, or -errno. */
int broker_is_polled(struct job *job, const struct holders_question *head, const void *rest);

/* Reads what stands behind the head into an array from malloc, of *size bytes. Returns 0 or -errno. */
int broker_read_question(int fd, struct holders_question *head, void **rest, size_t *size);

/* ---- traced_maps.c: load_traced(), with a message for each descriptor ---- */

/* Keeps a copy of the map. 0 or -errno. */
int broker_take_map(uint64_t number, int fd);

/* Number 0 makes all from the maps that were taken, and gives those back. Returns a descriptor or -errno. */
int broker_make_traced(uint64_t number);

/* ---- process.c ---- */

/* Whose process this is and its name, into the answer. 0 or -errno. */
int broker_process(pid_t pid, struct broker_answer *answer);

/*
 * Has the process this capability (CAP_...) over the network namespace `netns`,
 * in the user namespace that owns it, as ns_capable() in the kernel would see
 * it? One that is gone has none, nor one that is not `uid`'s any more.
 */
bool broker_is_capable(const struct broker_request *request, int pidfd, int netns);

#endif
