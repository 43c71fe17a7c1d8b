/* SPDX-License-Identifier: BSD-2-Clause */
/* What the programs count, by the number of a binding: for those who give out the numbers. Who reads it finds
 * it in datapath.h. */
#ifndef SKL_COUNTERS_H
#define SKL_COUNTERS_H

#include "helper/datapath/datapath.h"

/* Lookups of this number are counted from zero. 0 or -errno. */
int counters_start(const struct datapath *d, uint32_t binding);

/* Deletes what went otherwise than it should under these numbers, for any reason. */
void counters_forget_events(const struct datapath *d, const bool gone[SKL_BINDINGS]);

#endif
