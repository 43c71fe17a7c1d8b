/* SPDX-License-Identifier: BSD-2-Clause */
/* How long is worked in a network namespace whose owner may have put into it as much as he likes. */
#ifndef SKL_BUDGET_H
#define SKL_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

/* From now on this thread may use so many ms of the CPU; 0: any number. */
void budget_begin(uint64_t ms);

/* What is not done by then is left undone. */
bool budget_is_spent(void);

#endif
