// SPDX-License-Identifier: BSD-2-Clause
/* sklhelper: the order in which it starts. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/broker/broker.h"
#include "helper/datapath/load.h"
#include "helper/datapath/pins.h"
#include "helper/isolate.h"
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

static void raise_to_most(int resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) < 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(resource, &limit);
}

static void raise_limits(void)
{
	const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};

	raise_to_most(RLIMIT_NOFILE);
	/* before Linux 5.11 maps count as locked memory */
	if (setrlimit(RLIMIT_MEMLOCK, &none) < 0)
		raise_to_most(RLIMIT_MEMLOCK);
}

static int report(int err, const char *what, const char *hint)
{
	log_error("%s: %s%s%s%s", what, strerror(-err), hint ? " (" : "", hint ? hint : "", hint ? ")" : "");
	return 1;
}

/* From here on clients are heard, by a process that can open nothing and go nowhere. */
static int isolate(void)
{
	int err = isolate_capabilities(ISOLATE_MAIN);

	return err ? err : isolate_calls(ISOLATE_MAIN);
}

/* It is outside of what this process sees. */
static void remove_state_directory(void)
{
	struct broker_request request = {.order = BROKER_REMOVE_STATE};
	struct broker_answer answer;
	int none;

	broker_call(&request, -1, -1, &answer, &none);
}

static int start(const struct server *server, struct spaces *spaces, const struct options *o)
{
	int err;

	notify_open();
	err = isolate_files(o->bpffs);
	if (err)
		return report(err, o->bpffs, "it cannot become all that is seen: CAP_SYS_CHROOT");
	spaces_adopt(spaces);
	err = isolate();
	if (err)
		return report(err, "privileges", "they cannot be given up");
	log_notice("version " SKL_VERSION ": ready at %s, state in %s", server_address(server), o->bpffs);
	notify_ready();
	return 0;
}

static int report_bpf(int err)
{
	return report(err, "BPF",
		      "this kernel or this process's privileges do not allow it: Linux 5.10, "
		      "CAP_SYS_ADMIN, CAP_NET_ADMIN");
}

static int serve(struct options *o)
{
	struct spaces spaces = {.base = "."}; /* the working directory, see isolate_files() */
	struct server *server;
	int how, err;

	err = datapath_prepare();
	if (err)
		return report_bpf(err);
	err = server_open(&server, &o->server, &o->policy, &spaces);
	if (err)
		return report(err, o->server.path,
			      err == -EADDRINUSE ? "another helper answers there" : NULL);
	err = start(server, &spaces, o);
	how = err ? 0 : server_run(server);
	server_close(server);
	if (how == 1) {
		log_notice("nothing is covered any more: leaves");
		spaces_remove(&spaces);
		remove_state_directory();
	} else {
		spaces_close(&spaces);
	}
	policy_file_close(&o->policy);
	datapath_unprepare();
	return how < 0 ? report(how, "sklhelper", NULL) : err;
}

/* Loads what a first claim would attach. */
static int try_bpf(void)
{
	int fds[LOAD_OBJECTS], err = load_dispatch(fds);

	return err ? report_bpf(err) : 0;
}

int main(int argc, char **argv)
{
	struct options o;
	struct broker_paths paths;
	int status = options_parse(argc, argv, &o), lock, err;

	if (status >= 0)
		return status;
	if (o.check_policy)
		return policy_file_show(&o.policy);
	isolate_begin();
	raise_limits();
	if (o.try)
		return try_bpf();
	err = prepare_bpffs(o.bpffs);
	if (err)
		return report(err, o.bpffs,
			      err == -ENOTSUP ? "not on a bpffs: mount -t bpf bpf DIR makes one" : NULL);
	/* before the lock, of which it must not have a copy: it may outlive this process for a moment */
	paths = (struct broker_paths){.socket = o.server.path, .state = o.bpffs, .policy = o.policy.path};
	err = broker_start(&paths);
	if (err)
		return report(err, "broker", NULL);
	if (policy_file_load(&o.policy) != 0)
		return 1;
	lock = lock_state(o.bpffs);
	if (lock < 0)
		return report(lock, o.bpffs, lock == -EWOULDBLOCK ? "another helper works there" : NULL);
	return serve(&o);
}
