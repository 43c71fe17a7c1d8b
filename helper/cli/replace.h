/* SPDX-License-Identifier: BSD-2-Clause */
/* What skl upgrade does: the next version joins the share, then the old one leaves. */
#ifndef SKL_CLI_REPLACE_H
#define SKL_CLI_REPLACE_H

#include <stdbool.h>
#include <stdint.h>

struct replacement {
	const char *share;
	char **program; /* as for exec */
	uint64_t after_ms, timeout_ms;
	int signal; /* for the old ones */
	bool keep_old;
};

enum {
	REPLACE_STILL_THERE = 124,
	REPLACE_NOT_JOINED = 125,
};

/* Returns skl's exit code, having told on stdout what happened, and on stderr what went wrong. */
int replace(const struct replacement *wanted);

#endif
