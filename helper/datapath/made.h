/* SPDX-License-Identifier: BSD-2-Clause */
/* What the broker makes, for who asks it. */
#ifndef SKL_MADE_H
#define SKL_MADE_H

#include "helper/datapath/load.h"

/* As load_dispatch(), load_reply() and load_traced(), by the broker. */
int made_dispatch(int fds[LOAD_OBJECTS]);
int made_reply(int tables, int flows);
int made_traced(const int maps[LOAD_MAPS], int made[TRACED_OBJECTS]);

#endif
