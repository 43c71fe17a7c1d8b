/* SPDX-License-Identifier: BSD-2-Clause */
/* Users and groups of the system, by name: struct names (rules/grants.h) that looks itself. */
#ifndef SKL_NAMES_H
#define SKL_NAMES_H

#include "helper/rules/grants.h"

extern const struct names names_system;

/* Loads what looking for names takes: later, the process may not be allowed to. */
void names_prepare(void);

#endif
