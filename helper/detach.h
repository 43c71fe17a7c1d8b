/* SPDX-License-Identifier: BSD-2-Clause */
/* Coverage that is given back before its listener is gone. */
#ifndef SKL_DETACH_H
#define SKL_DETACH_H

#include <stddef.h>

#include "helper/say.h"
#include "helper/server/peer.h"
#include "helper/spaces.h"

/*
 * `text` is "ID=" and the decimal number of a listener or binding, with its NUL.
 * A listener loses all that it covers, as does one whose last binding this was.
 * Only root may do it to what others claimed; they do not learn that it exists.
 * Returns 0, or -errno (-ESRCH: none of the peer's has that number) with the
 * sentence in `s`.
 */
int detach(struct spaces *spaces, const struct peer *peer, const char *text, size_t length, struct say *s);

#endif
