/* SPDX-License-Identifier: BSD-2-Clause */
/* What shape.c knows of one object, for shape_names.c. */
#ifndef SKL_SHAPE_PARTS_H
#define SKL_SHAPE_PARTS_H

#include <linux/bpf.h>

#include "helper/datapath/shape.h"

/* 0 or -errno. */
int shape_read_map(int fd, struct bpf_map_info *info);
int shape_read_link(int fd, struct bpf_link_info *info);

/* Opens a pin. Links are not followed to here: shape_check_names() has seen to that. A descriptor, -EBADMSG
 * where it is none, or -errno. */
int shape_get(const char *file);

/* Is it this object, made by any version? SHAPE_OBJECTS is the reply program. */
bool shape_is(int which, int fd);

#endif
