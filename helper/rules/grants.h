/* SPDX-License-Identifier: BSD-2-Clause */
/* The policy file, skl-policy.conf(5): what is granted beyond what bind() would allow, and quotas. Pure. */
#ifndef SKL_GRANTS_H
#define SKL_GRANTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "helper/rules/prefix.h"

#define POLICY_PATH "/etc/skl/policy.conf"
#define GRANT_NAME  32 /* of a section, with its NUL */

enum quota { QUOTA_LISTENERS, QUOTA_BINDINGS, QUOTA_REQUESTS, QUOTA_CONNECTIONS, N_QUOTAS };

#define QUOTA_UNSAID UINT32_MAX

struct port_span {
	uint16_t first, last; /* host byte order, both included */
};

struct grant {
	char name[GRANT_NAME];
	unsigned int line; /* of the section's head */
	uint32_t *users, *groups;
	size_t n_users, n_groups;
	bool tcp, udp;
	struct port_span *ports;
	size_t n_ports;
	struct prefix *cidrs; /* none: any address */
	size_t n_cidrs;
	bool routes, takeover;
	uint32_t quotas[N_QUOTAS];
};

struct policy {
	const char *path; /* of the file, for sentences; whoever loads it sets it and keeps it */
	struct grant *grants;
	size_t n_grants;
	uint32_t quotas[N_QUOTAS]; /* of those for whom no grant says any */
};

/* How names become numbers. 0, -ENOENT where there is none of this name, or -errno. */
struct names {
	int (*user)(void *context, const char *name, uint32_t *id);
	int (*group)(void *context, const char *name, uint32_t *id);
	void *context;
};

/* Told in the order of the file, but for what is missing in a section: that comes at its end. */
typedef void grants_told(void *context, unsigned int line, bool mistake, const char *sentence);

/*
 * Reads a policy from text. Every mistake, and in words what each line grants,
 * goes to `told`. Returns 0 and *out, to be freed; the number of mistakes and
 * no policy; or -ENOMEM.
 */
int grants_parse(const char *text, size_t length, const struct names *names, grants_told *told, void *context,
		 struct policy **out);

/* The policy where there is no file: no grants. NULL when there is no memory. */
struct policy *policy_default(void);
void policy_free(struct policy *p);

/* "listeners", as the file calls it. */
const char *quota_name(enum quota q);

#endif
