/* SPDX-License-Identifier: BSD-2-Clause */
/* The SKL_* variables as they were when the program was loaded. */
#ifndef SKL_ENV_H
#define SKL_ENV_H

#include <linux/types.h>

#include "helper/wire.h"

/* Beyond the text, so that the name and a short value of a variable that no longer fits can still be read. */
#define ENV_SLACK 32

struct env {
	const char *helper; /* where to ask */
	__u64 wait_ms;	    /* how long to wait for a helper to appear */
	__u32 length;	    /* of text, in bytes */
	__u8 wanted;	    /* there is something to ask for */
	__u8 share;	    /* SKL_SHARE is not empty: bind() is to be asked for, too */
	__u8 seen;	    /* bits of the variables that were read: as with getenv(), the first one counts */
	__u8 disabled;
	__u8 warn; /* serve without what was refused */
	__u8 debug;
	__u8 too_long; /* more than SKL_TEXT_MAX; text lacks what did not fit */
	char text[SKL_TEXT_MAX + ENV_SLACK];
};

/*
 * Copies the variables, since programs overwrite and clear their environment.
 * `variables` ends with NULL, as environ does; if it is NULL itself, the kernel
 * is asked instead. *env must be all zero before.
 */
void env_read(struct env *env, char *const *variables);

#endif
