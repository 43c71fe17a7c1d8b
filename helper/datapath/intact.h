/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Is what is pinned something that a helper wrote, at whichever moment it was
 * stopped? What is not is damaged or somebody else's, and would lead whoever
 * trusts it astray. Pure.
 */
#ifndef SKL_INTACT_H
#define SKL_INTACT_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/maps.h"

/* Does everything that a word leads to lie inside its array, and come to an end? */
bool intact_tables(const struct skl_tables *t);

/* Records by their keys; `t` is intact. */
bool intact_member(const struct skl_tables *t, uint32_t slot, const struct skl_member_record *r);
bool intact_binding(const struct skl_tables *t, uint32_t index, const struct skl_binding_record *r);

#endif
