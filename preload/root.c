// SPDX-License-Identifier: BSD-2-Clause
#include "preload/root.h"

#include <linux/types.h>

#include "preload/sys.h"

static __u64 root_device, root_inode; /* 0: not known */

static int identify_root(__u64 *device, __u64 *inode)
{
	struct statx stat = {0};

	if (sys_statx("/", STATX_INO, &stat) < 0)
		return 0;
	*device = (__u64)stat.stx_dev_major << 32 | stat.stx_dev_minor;
	*inode = stat.stx_ino;
	return 1;
}

void root_remember(void)
{
	if (!identify_root(&root_device, &root_inode))
		root_inode = 0;
}

int root_moved(void)
{
	__u64 device, inode;

	return root_inode && identify_root(&device, &inode) && (device != root_device || inode != root_inode);
}
