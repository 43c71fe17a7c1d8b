// SPDX-License-Identifier: BSD-2-Clause
#include "helper/fault.h"

#ifdef SKL_FAULTS
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of the helper and of the processes that it forks. */
static struct {
	pid_t first;
	unsigned int at, passed;
} * fault;

__attribute__((constructor)) static void prepare(void)
{
	const char *at = getenv("SKL_FAULT_KILL");

	fault = mmap(NULL, sizeof(*fault), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fault == MAP_FAILED)
		_exit(1);
	fault->first = getpid();
	fault->at = at ? atol(at) : -1;
}

void fault_point(const char *name)
{
	long n = __atomic_add_fetch(&fault->passed, 1, __ATOMIC_SEQ_CST);

	if (fault->at == 0)
		dprintf(STDERR_FILENO, "sklhelper: passes point %ld: %s\n", n, name);
	if (fault->at != n)
		return;
	dprintf(STDERR_FILENO, "sklhelper: killed at point %ld: %s\n", n, name);
	kill(fault->first, SIGKILL);
	kill(getpid(), SIGKILL);
}
#endif
