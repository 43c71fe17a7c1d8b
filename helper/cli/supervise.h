/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Supervised mode: for programs that preload cannot reach. A seccomp filter
 * makes the kernel ask a process beside the program, the supervisor, before
 * listen() and bind(); it does the call, makes the claim that the shim would
 * have made, and answers with its result. All other calls go on as they are.
 */
#ifndef SKL_CLI_SUPERVISE_H
#define SKL_CLI_SUPERVISE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Puts this process, and all that it becomes and starts, under a supervisor,
 * which is not its child and ends when none of them is left. To be called right
 * before exec of `program`. `text` of `length` bytes are the SKL_* variables as
 * they go over the wire. Returns 0, or -errno having complained:
 *   -EBUSY  it is supervised already
 *   -ENOENT  /proc is another's
 */
int supervise_start(const char *program, const char *text, size_t length);

/* ---- supervisor.c: answers what the filter's descriptor asks. Does not return. ---- */
_Noreturn void supervisor(int notify, const char *text, size_t length);

/* ---- trap.c: installs the filter. Returns the descriptor that asks, or -errno. ---- */
int trap_install(void);

/* Does installing it take from what is executed then the rights that it would gain? */
bool trap_takes_rights(void);

#endif
