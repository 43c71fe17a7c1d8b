// SPDX-License-Identifier: BSD-2-Clause
/* sklhelper: the order in which it starts. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/broker/broker.h"
#include "helper/datapath/pins.h"
#include "helper/log.h"
#include "helper/notify.h"
#include "helper/options.h"
#include "helper/server/server.h"
#include "helper/spaces.h"

/* Where the system has not mounted one, as bpftool and ip do. */
static int prepare_bpffs(const char *base)
{
	int err = pins_prepare(base);

	if (err != -ENOTSUP || strcmp(base, OPTIONS_BPFFS) != 0)
		return err;
	if (mount("bpf", OPTIONS_BPFFS_MOUNT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return -errno;
	log_notice("mounted a bpffs on " OPTIONS_BPFFS_MOUNT);
	return pins_prepare(base);
}

/* The state is one helper's at a time. Returns a descriptor to be kept, or -errno. */
static int lock_state(const char *base)
{
	int fd = open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int make_parent(const char *path)
{
	char copy[4096];

	snprintf(copy, sizeof(copy), "%s", path);
	return mkdir(dirname(copy), 0755) < 0 && errno != EEXIST ? -errno : 0;
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

static int report(int err, const char *what, const char *hint)
{
	log_error("%s: %s%s%s%s", what, strerror(-err), hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
	return 1;
}

static int report_bpf(int err)
{
	return report(err, "BPF",
		      "this kernel or this process's privileges do not allow it: Linux 5.10, CAP_BPF, "
		      "CAP_NET_ADMIN");
}

static int serve(const struct options *o)
{
	struct spaces spaces = {.base = o->bpffs};
	struct server *server;
	int how, err;

	err = datapath_prepare();
	if (err)
		return report_bpf(err);
	err = make_parent(o->server.path);
	if (!err)
		err = server_open(&server, &o->server, &spaces);
	if (err)
		return report(err, o->server.path,
			      err == -EADDRINUSE ? "another helper answers there" : NULL);
	spaces_adopt(&spaces);
	log_notice("version " SKL_VERSION ": ready at %s, state in %s", o->server.path, o->bpffs);
	notify_ready();
	how = server_run(server);
	server_close(server);
	if (how == 1) {
		log_notice("nothing is covered any more: leaves");
		spaces_remove(&spaces);
	} else {
		spaces_close(&spaces);
	}
	datapath_unprepare();
	return how < 0 ? report(how, "sklhelper", NULL) : 0;
}

/* Loads what a first claim would attach. */
static int try_bpf(void)
{
	int err = datapath_prepare();

	datapath_unprepare();
	return err ? report_bpf(err) : 0;
}

int main(int argc, char **argv)
{
	struct options o;
	int status = options_parse(argc, argv, &o), lock, err;

	if (status >= 0)
		return status;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	raise_descriptor_limit();
	if (o.try)
		return try_bpf();
	err = prepare_bpffs(o.bpffs);
	if (err)
		return report(err, o.bpffs,
			      err == -ENOTSUP ? "not on a bpffs: mount -t bpf bpf DIR makes one" : NULL);
	/* before the lock, of which it must not have a copy: it may outlive this process for a moment */
	err = broker_start();
	if (err)
		return report(err, "broker", NULL);
	lock = lock_state(o.bpffs);
	if (lock < 0)
		return report(lock, o.bpffs, lock == -EWOULDBLOCK ? "another helper works there" : NULL);
	return serve(&o);
}
