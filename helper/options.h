/* SPDX-License-Identifier: BSD-2-Clause */
/* sklhelper's command line. */
#ifndef SKL_OPTIONS_H
#define SKL_OPTIONS_H

#include "helper/policy_file.h"
#include "helper/server/server.h"

#define OPTIONS_BPFFS_MOUNT "/sys/fs/bpf"
#define OPTIONS_BPFFS	    OPTIONS_BPFFS_MOUNT "/skl"

struct options {
	struct server_options server;
	bool try;	   /* only load the programs, and leave */
	const char *bpffs; /* where the pins are */
	bool purge;	   /* instead of serving */
	struct policy_file policy;
	bool check_policy; /* and do nothing else */
};

/* Reads it over the defaults; what is wrong has been said. Returns -1 to go on, else the exit status. */
int options_parse(int argc, char **argv, struct options *o);

#endif
