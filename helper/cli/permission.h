/* SPDX-License-Identifier: BSD-2-Clause */
/* How somebody who may not ask the helper comes to that. */
#ifndef SKL_CLI_PERMISSION_H
#define SKL_CLI_PERMISSION_H

/* In one sentence, from the owner and the mode of the helper's socket. The text holds until the next call. */
const char *permission_mend(void);

#endif
