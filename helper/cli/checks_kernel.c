// SPDX-License-Identifier: BSD-2-Clause
/* Of skl doctor: can this system do it at all? */
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "helper/cli/checks.h"
#include "helper/cli/place.h"

struct version {
	unsigned int major, minor, patch;
};

static bool before(struct version a, struct version b)
{
	if (a.major != b.major)
		return a.major < b.major;
	return a.minor != b.minor ? a.minor < b.minor : a.patch < b.patch;
}

/*
 * Replacing an element of a SOCKMAP used freed memory until these releases of
 * the stable series (and 6.13). The helper never replaces one, so this is about
 * others on the same machine; it is told because a reader may wonder.
 */
static bool has_sockmap_fault(struct version v)
{
	static const struct version mended[] = {
		{5, 10, 236}, {5, 15, 180}, {6, 1, 125}, {6, 6, 67}, {6, 12, 6}};

	for (size_t i = 0; i < sizeof(mended) / sizeof(mended[0]); i++) {
		if (v.major == mended[i].major && v.minor == mended[i].minor)
			return v.patch < mended[i].patch;
	}
	return before(v, (struct version){6, 13, 0});
}

void check_kernel(struct checks *c)
{
	struct utsname name;
	struct version v = {0};

	if (uname(&name) < 0 || sscanf(name.release, "%u.%u.%u", &v.major, &v.minor, &v.patch) < 2) {
		check_found(c, "kernel", CHECK_UNKNOWN, NULL, "its version cannot be read");
		return;
	}
	if (before(v, (struct version){5, 10, 0}))
		check_found(c, "kernel", CHECK_PROBLEM, "boot Linux 5.10 or later", "Linux %s is too old",
			    name.release);
	else if (before(v, (struct version){5, 17, 0}))
		check_found(c, "kernel", CHECK_OK, NULL,
			    "Linux %s; sockets that are bound to a device cannot be covered before 5.17",
			    name.release);
	else if (has_sockmap_fault(v))
		check_found(
			c, "kernel", CHECK_OK, NULL,
			"Linux %s; its SOCKMAP has a fault when elements are replaced, which skl never does",
			name.release);
	else
		check_found(c, "kernel", CHECK_OK, NULL, "Linux %s", name.release);
}

/* By really loading: the helper's own programs, by the helper's own code. */
void check_bpf(struct checks *c)
{
	char helper[4096], out[1024];
	int status;

	if (place_helper(helper) != 0) {
		check_found(c, "BPF", CHECK_PROBLEM, "install it, or build it: make",
			    "sklhelper is not there: %s", helper);
		return;
	}
	if (geteuid() != 0) {
		check_found(c, "BPF", CHECK_UNKNOWN, "run skl doctor as root",
			    "only root can try to load the programs");
		return;
	}
	status = check_command((char *[]){helper, "--try", NULL}, NULL, out, sizeof(out));
	out[strcspn(out, "\n")] = '\0';
	if (status == 0)
		check_found(c, "BPF", CHECK_OK, NULL, "the programs load, and sk_lookup can be attached");
	else
		check_found(c, "BPF", CHECK_PROBLEM,
			    "the kernel needs CONFIG_BPF_SYSCALL, CONFIG_NET_CLS_BPF, and "
			    "its lockdown must not be confidentiality",
			    "%s", *out ? out : "they do not load");
}

void check_bpffs(struct checks *c)
{
	struct statfs fs;

	if (statfs("/sys/fs/bpf", &fs) == 0 && fs.f_type == BPF_FS_MAGIC)
		check_found(c, "bpffs", CHECK_OK, NULL, "mounted on /sys/fs/bpf");
	else
		check_found(c, "bpffs", CHECK_PROBLEM,
			    "mount -t bpf bpf /sys/fs/bpf (sklhelper does it as root)",
			    "none is mounted on /sys/fs/bpf: state cannot outlive the helper");
}
