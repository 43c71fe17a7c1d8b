/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the helper may be killed, for the tests. In build/faults/sklhelper
 * (-DSKL_FAULTS) all its processes die of SIGKILL at the Nth of these points
 * that they pass together, SKL_FAULT_KILL=N; 0 only tells which there are. In
 * any other build they are nothing.
 */
#ifndef SKL_FAULT_H
#define SKL_FAULT_H

#ifdef SKL_FAULTS
void fault_point(const char *name);
#else
static inline void fault_point(const char *name)
{
	(void)name;
}
#endif

#endif
