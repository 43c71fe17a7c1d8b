/* SPDX-License-Identifier: BSD-2-Clause */
/* Is "/" still what it was? After a chroot() the helper's path is out of reach. */
#ifndef SKL_ROOT_H
#define SKL_ROOT_H

/* Only at load. */
void root_remember(void);

/* Is it another than at load? A program that cannot tell changed nothing. */
int root_moved(void);

#endif
