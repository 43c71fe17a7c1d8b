/* SPDX-License-Identifier: BSD-2-Clause */
/* What `skl doctor` looks at. Each check tells what it found, and how to mend it where that is no good. */
#ifndef SKL_CLI_CHECKS_H
#define SKL_CLI_CHECKS_H

#include <stddef.h>
#include <sys/types.h>

#include "helper/cli/report.h"

enum check_verdict {
	CHECK_OK,
	CHECK_PROBLEM, /* something will not work */
	CHECK_UNKNOWN, /* it could not be looked at */
};

struct checks;

/* Reports what one check found: a sentence, and one that mends it or NULL. */
void check_found(struct checks *c, const char *what, enum check_verdict verdict, const char *mend,
		 const char *format, ...) __attribute__((format(printf, 5, 6)));

struct checks {
	void (*found)(struct checks *c, const char *what, enum check_verdict verdict, const char *sentence,
		      const char *mend);
	void *context;	      /* of found() */
	const char *program;  /* that is to be looked at, or NULL */
	struct report report; /* what is covered; nothing where no helper answers */
	unsigned int problems;
};

/* Runs all of them. Returns the number of problems. */
unsigned int checks_run(struct checks *c);

/* The checks, in the order of a packet's way: what the system can do, who helps, what stands in the way. */
void check_kernel(struct checks *c);
void check_bpf(struct checks *c);
void check_bpffs(struct checks *c);
void check_helper(struct checks *c); /* reads c->report */
void check_policy(struct checks *c);
void check_others(struct checks *c);
void check_local(struct checks *c);
void check_firewall(struct checks *c);
void check_program(struct checks *c);

/* Runs a command without a shell; *out becomes what it printed, cut where it is longer. Returns its exit
 * status, or -1 where it could not be run. */
int check_command(char *const argv[], char *const environment[], char *out, size_t size);

#endif
