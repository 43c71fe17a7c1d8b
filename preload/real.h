/* SPDX-License-Identifier: BSD-2-Clause */
/* What the shim stands in front of. */
#ifndef SKL_REAL_H
#define SKL_REAL_H

struct sockaddr;

/* The loader's lookup, where the program has one. Weak: whatever loads the shim may lack any of these. */
extern void *dlsym(void *handle, const char *name) __attribute__((weak));

/*
 * Finds the next bind and listen behind the two given, which are the shim's
 * own. Only at load: the lookup allocates and locks.
 */
void real_find(const void *own_bind, const void *own_listen);

/* The next one in line, or the system call where none was found or looked for yet. -1 and errno on failure.
 */
int real_bind(int fd, const struct sockaddr *address, unsigned int length);
int real_listen(int fd, int backlog);

/* Sets the program's errno and returns -1. */
int real_fail(int error);

/* The program's errno after a real one has failed, or 0 where there is none. */
int real_error(void);

#endif
