/* SPDX-License-Identifier: BSD-2-Clause */
/* What all that load programs do alike; for load*.c alone. */
#ifndef SKL_LOAD_PARTS_H
#define SKL_LOAD_PARTS_H

#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stddef.h>

#include "helper/datapath/load.h"

/*
 * From now on what libbpf says goes to the debug log: what failed is said by who asked. Returns
 * what libbpf_set_print() is to be given when the loading is over.
 */
libbpf_print_fn_t load_quietly(void);

/* Does the kernel tell sk_lookup programs the interface (Linux 5.17)? Asked once; false also where nothing
 * can be loaded. */
bool load_tells_ifindex(void);

/* Lets an object that is opened and not loaded use these maps, which stay the caller's. 0 or -errno. */
int load_reuse(const struct bpf_object *object, const int maps[LOAD_MAPS]);

/* The maps of a loaded object, which stay its own; an entry is negative where it has no such map. */
void load_maps(const struct bpf_object *object, int maps[LOAD_MAPS]);

/* Copies, which are the caller's and stay when the object goes. 0, or -errno and there are none. */
int load_copy(const int *from, int *to, size_t n);

#endif
