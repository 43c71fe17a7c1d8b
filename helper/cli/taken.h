/* SPDX-License-Identifier: BSD-2-Clause */
/* The supervisor's copy of a program's socket: which kind it is, and what has been done to it. */
#ifndef SKL_CLI_TAKEN_H
#define SKL_CLI_TAKEN_H

#include <stdbool.h>
#include <stdint.h>

bool taken_is_internet(int sock, int type, int protocol);
uint64_t taken_cookie(int sock);

/* Is it of our own network namespace? Not so, where that cannot be told. */
bool taken_is_here(int sock);

/* Is it bound, or does it listen? Whatever came of the claim, the call itself cannot be made a second time.
 */
bool taken_has_effect(int sock, bool is_bind);

#endif
