// SPDX-License-Identifier: BSD-2-Clause
/* sklhelper: the order in which it starts. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "helper/broker/broker.h"
#include "helper/datapath/load.h"
#include "helper/datapath/pins.h"
#include "helper/isolate.h"
#include "helper/lock.h"
#include "helper/log.h"
#include "helper/notify.h"
#include "helper/options.h"
#include "helper/purge.h"
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

/* Another helper may leave at this moment, and remove the directory. Returns as lock_take(). */
static int lock_state(const char *base, pid_t *holder)
{
	int lock = -ESTALE;

	for (int tries = 0; tries < 100 && lock == -ESTALE; tries++) {
		int err = prepare_bpffs(base);

		if (err)
			return err;
		lock = lock_take(base, holder);
	}
	return lock;
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

static int report_other(const char *where, pid_t pid)
{
	char who[32] = "";

	if (pid > 0)
		snprintf(who, sizeof(who), " (pid %d)", pid);
	log_error("%s: " LOCK_ANOTHER "%s works there", where, who);
	return 1;
}

static int report_state(int err, const char *base, pid_t holder)
{
	if (err == -EWOULDBLOCK)
		return report_other(base, holder);
	return report(err, base, err == -ENOTSUP ? "not on a bpffs: mount -t bpf bpf DIR makes one" : NULL);
}

/* Where nothing is, nothing is made. */
static int purge_all(const struct options *o)
{
	int err = pins_check(o->bpffs), lock = 0;
	pid_t holder = 0;

	if (err == 0)
		lock = lock_take(o->bpffs, &holder);
	if (err == -ENOENT || lock == -ESTALE)
		err = lock = 0;
	if (err || lock < 0)
		return report_state(err ? err : lock, o->bpffs, holder);
	return purge(o->bpffs, o->server.path);
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

/* Is this Linux older than 5.MINOR? */
static bool kernel_before_5(unsigned int wanted, struct utsname *name)
{
	unsigned int major, minor;

	return uname(name) == 0 && sscanf(name->release, "%u.%u", &major, &minor) == 2 &&
	       (major < 5 || (major == 5 && minor < wanted));
}

static bool locked_memory_is_limited(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY;
}

static int report_bpf(int err)
{
	struct utsname name;

	if (kernel_before_5(10, &name)) {
		log_error("BPF: %s: Linux %s is too old: boot 5.10 or later", strerror(-err), name.release);
		return 1;
	}
	if (err == -EPERM && kernel_before_5(11, &name) && locked_memory_is_limited())
		return report(err, "BPF",
			      "before Linux 5.11 maps count as locked memory: ulimit -l unlimited, "
			      "LimitMEMLOCK=infinity or CAP_SYS_RESOURCE");
	return report(err, "BPF",
		      "this kernel or this process's privileges do not allow it: Linux 5.10, "
		      "CAP_SYS_ADMIN, CAP_NET_ADMIN");
}

static int serve(struct options *o)
{
	struct spaces spaces = {.base = ".", .shown = o->bpffs}; /* the working directory: isolate_files() */
	struct sharing sharing;
	struct server *server;
	int how, err;

	err = datapath_prepare();
	if (err)
		return report_bpf(err);
	err = share_open(&sharing);
	if (err)
		return report(err, "shares", NULL);
	err = server_open(&server, &o->server, &o->policy, &spaces, &sharing);
	if (err == -EADDRINUSE)
		return report_other(o->server.path, server_answering(o->server.path));
	if (err)
		return report(err, o->server.path, NULL);
	err = start(server, &spaces, o);
	how = err ? 0 : server_run(server);
	server_close(server);
	share_close(&sharing);
	if (how == 1) {
		log_notice("nothing is covered any more: leaves");
		spaces_remove(&spaces);
		remove_state_directory();
	} else {
		spaces_close(&spaces);
	}
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
	pid_t holder = 0;

	if (status >= 0)
		return status;
	if (o.check_policy)
		return policy_file_show(&o.policy);
	isolate_begin();
	raise_limits();
	if (o.try)
		return try_bpf();
	/* before the lock, of which it must not have a copy: it may outlive this process for a moment */
	paths = (struct broker_paths){.socket = o.server.path, .state = o.bpffs, .policy = o.policy.path};
	err = broker_start(&paths);
	if (err)
		return report(err, "broker", NULL);
	if (o.purge)
		return purge_all(&o);
	if (policy_file_load(&o.policy) != 0)
		return 1;
	lock = lock_state(o.bpffs, &holder);
	status = lock < 0 ? report_state(lock, o.bpffs, holder) : serve(&o);
	policy_file_close(&o.policy);
	return status;
}
