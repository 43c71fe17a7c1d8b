/* SPDX-License-Identifier: BSD-2-Clause */
/* Users and groups of the system, by name: struct names (rules/grants.h) that looks itself. */
#ifndef SKL_NAMES_H
#define SKL_NAMES_H

#include "helper/rules/grants.h"

extern const struct names names_system;

#endif
