/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SKL_MEM_H
#define SKL_MEM_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int byte, size_t n);

#endif
