/* SPDX-License-Identifier: BSD-2-Clause */
/* The items that the values of SKL_* are made of: lists, ports, prefixes. Pure. */
#ifndef SKL_ITEMS_H
#define SKL_ITEMS_H

#include <stdbool.h>
#include <stddef.h>

#include "helper/rules/prefix.h"
#include "helper/rules/request.h"
#include "helper/say.h"

/* A piece of the request's text; not NUL-terminated. For "%.*s", what is shown is cut where it gets long. */
struct text {
	const char *at;
	size_t length;
};

#define SHOWN(t) (int)((t).length > 60 ? 60 : (t).length), (t).at

bool text_is(struct text t, const char *word);

/* Takes what stands before the next `separator` off *rest. False when nothing is left. */
bool text_next(struct text *rest, char separator, struct text *item);

/* How many items text_next() will find. */
size_t text_count(struct text t, char separator);

/* "7", "8000-8099", "*", each with "/tcp" or "/udp" or neither. 0, or -EINVAL with the sentence; `name` is
 * the variable's. */
int item_ports(struct text item, struct port_item *out, struct say *s, const char *name);

/* "5s", "500ms", "2m", or a number of seconds; at most six digits. */
bool item_time(struct text item, uint64_t *ms);

/* "192.0.2.0/24". 0 (and a remark where host bits were set), or -EINVAL with the sentence. */
int item_prefix(struct text item, struct prefix *out, struct say *s, const char *name);

#endif
