// SPDX-License-Identifier: BSD-2-Clause
/* sklhelper: the options, and the order in which it starts. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
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

#include "helper/datapath/netns.h"
#include "helper/datapath/pins.h"
#include "helper/log.h"
#include "helper/notify.h"
#include "helper/server/server.h"
#include "helper/spaces.h"
#include "helper/wire.h"

#define BPFFS	      "/sys/fs/bpf"
#define DEFAULT_BPFFS BPFFS "/skl"

static const char usage[] =
	"Usage: sklhelper [--socket PATH] [--bpffs DIR] [--log-level LEVEL] [--mode MODE] [--group GROUP] "
	"[--exit-idle]\n"
	"\n"
	"Steers extra ports and addresses to the sockets of programs that ask for it (see libsklshim(7)).\n"
	"\n"
	"  --socket PATH      where programs ask (" SKL_HELPER_SOCKET ")\n"
	"  --bpffs DIR        where BPF maps and links are pinned, on a bpffs (" DEFAULT_BPFFS ")\n"
	"  --log-level LEVEL  error, warning, notice, info (as it is) or debug\n"
	"  --mode MODE        permissions of the socket, in octal (0660)\n"
	"  --group GROUP      group of the socket, where it exists (skl)\n"
	"  --exit-idle        leave, and remove all that was made, when no coverage is left\n"
	"  --version, --help\n";

struct options {
	struct server_options server;
	const char *bpffs;
};

static int parse_mode(const char *text, mode_t *mode)
{
	char *end;
	unsigned long value = strtoul(text, &end, 8);

	if (*text == '\0' || *end != '\0' || value > 0777)
		return -EINVAL;
	*mode = (mode_t)value;
	return 0;
}

/* Returns -1 to go on, else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
	enum { SOCKET = 256, BPFFS_DIR, POLICY, LEVEL, MODE, GROUP, EXIT_IDLE, VERSION, HELP };
	static const struct option known[] = {
		{"socket", required_argument, NULL, SOCKET}, {"bpffs", required_argument, NULL, BPFFS_DIR},
		{"policy", required_argument, NULL, POLICY}, {"log-level", required_argument, NULL, LEVEL},
		{"mode", required_argument, NULL, MODE},     {"group", required_argument, NULL, GROUP},
		{"exit-idle", no_argument, NULL, EXIT_IDLE}, {"version", no_argument, NULL, VERSION},
		{"help", no_argument, NULL, HELP},	     {0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
		switch (option) {
		case SOCKET:
			o->server.path = optarg;
			break;
		case BPFFS_DIR:
			o->bpffs = optarg;
			break;
		case POLICY:
			log_error("--policy: this version reads no policy file: the default rule holds");
			return 2;
		case LEVEL:
			if (log_set_level(optarg) == 0)
				break;
			log_error("--log-level %s: is none of error, warning, notice, info, debug", optarg);
			return 2;
		case MODE:
			if (parse_mode(optarg, &o->server.mode) == 0)
				break;
			log_error("--mode %s: is not an octal number up to 0777", optarg);
			return 2;
		case GROUP:
			o->server.group = optarg;
			break;
		case EXIT_IDLE:
			o->server.exit_idle = true;
			break;
		case VERSION:
			puts("sklhelper " SKL_VERSION);
			return 0;
		case HELP:
			fputs(usage, stdout);
			return 0;
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind < argc) {
		log_error("%s: no argument is expected", argv[optind]);
		return 2;
	}
	return -1;
}

/* Where the system has not mounted one, as bpftool and ip do. */
static int prepare_bpffs(const char *base)
{
	int err = pins_prepare(base);

	if (err != -ENOTSUP || strcmp(base, DEFAULT_BPFFS) != 0)
		return err;
	if (mount("bpf", BPFFS, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700") < 0)
		return -errno;
	log_notice("mounted a bpffs on " BPFFS);
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

static int serve(const struct options *o)
{
	struct spaces spaces = {.base = o->bpffs};
	struct server *server;
	int how, err;

	err = datapath_prepare();
	if (err)
		return report(err, "BPF",
			      "this kernel or this process's privileges do not allow it: Linux 5.10, "
			      "CAP_BPF, CAP_NET_ADMIN");
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

int main(int argc, char **argv)
{
	struct options o = {
		.server = {.path = SKL_HELPER_SOCKET, .mode = 0660, .group = "skl"},
		.bpffs = DEFAULT_BPFFS,
	};
	int status = parse_options(argc, argv, &o), lock, err;

	if (status >= 0)
		return status;
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	raise_descriptor_limit();
	err = prepare_bpffs(o.bpffs);
	if (err)
		return report(err, o.bpffs,
			      err == -ENOTSUP ? "not on a bpffs: mount -t bpf bpf DIR makes one" : NULL);
	/* before the lock, of which it must not have a copy: it may outlive this process for a moment */
	err = netns_start_broker();
	if (err)
		return report(err, "broker", NULL);
	lock = lock_state(o.bpffs);
	if (lock < 0)
		return report(lock, o.bpffs, lock == -EWOULDBLOCK ? "another helper works there" : NULL);
	return serve(&o);
}
