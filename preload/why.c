// SPDX-License-Identifier: BSD-2-Clause
#include "preload/why.h"

#include <stddef.h>

#include "preload/env.h"
#include "preload/sys.h"

void why_name(struct text *text, int error)
{
	/* Those made here, and those that a helper gives most often. */
	static const struct {
		int error;
		char name[44];
	} names[] = {
		{EPERM, "Operation not permitted"},
		{ENOENT, "No such file or directory"},
		{E2BIG, "Argument list too long"},
		{EACCES, "Permission denied"},
		{EINVAL, "Invalid argument"},
		{ENFILE, "Too many open files in system"},
		{EMFILE, "Too many open files"},
		{ENAMETOOLONG, "File name too long"},
		{EPROTO, "Protocol error"},
		{EPROTOTYPE, "Protocol wrong type for socket"},
		{EPROTONOSUPPORT, "Protocol not supported"},
		{EAFNOSUPPORT, "Address family not supported by protocol"},
		{EADDRINUSE, "Address already in use"},
		{EADDRNOTAVAIL, "Cannot assign requested address"},
		{ECONNRESET, "Connection reset by peer"},
		{ETIMEDOUT, "Connection timed out"},
		{ECONNREFUSED, "Connection refused"},
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].error == error) {
			text_add(text, names[i].name);
			return;
		}
	}
	text_add(text, "error ");
	text_add_number(text, (unsigned long)error);
}

static void no_socket(struct text *text, int error)
{
	switch (error) {
	case EMFILE:
		text_add(text, "no descriptor left for asking the helper (raise the limit: ulimit -n, "
			       "LimitNOFILE=)");
		break;
	case ENFILE:
		text_add(text, "no descriptor left for asking the helper (raise the sysctl fs.file-max)");
		break;
	case EAFNOSUPPORT:
	case EPERM:
	case EACCES:
		text_add(text, "may not make an AF_UNIX socket for asking the helper "
			       "(allow it in the seccomp filter; systemd: RestrictAddressFamilies=AF_UNIX)");
		break;
	default:
		text_add(text, "cannot make a socket for asking the helper");
	}
}

/* Not inlined: the other sentences need no such frame. */
__attribute__((noinline)) static void may_not_connect(struct text *text, const char *path)
{
	struct statx stat = {0};

	text_add(text, "uid ");
	text_add_number(text, sys_geteuid());
	text_add(text, " may not connect to ");
	text_add(text, path);
	if (sys_statx(path, STATX_GID, &stat) == 0 && stat.stx_gid == 0) {
		text_add(text, " (only root may: make a group skl and start sklhelper anew, or name another "
			       "with --group)");
	} else if (stat.stx_gid) {
		text_add(text, " (gid ");
		text_add_number(text, stat.stx_gid);
		text_add(text, " may: join that group, or start sklhelper with another --group)");
	} else {
		text_add(text, " (nor see whom it is for: join the group skl, or start sklhelper with "
			       "--socket in a directory open to all)");
	}
}

static void no_connection(struct text *text, const char *path, int error, int moved)
{
	switch (error) {
	case ENOENT:
		if (moved) {
			text_add(text, "the program changed its root directory, which puts ");
			text_add(text, path);
			text_add(text, " out of reach (start it outside the chroot, or use skl attach)");
			return;
		}
		text_add(text, "no helper at ");
		text_add(text, path);
		text_add(text, " (start sklhelper, or start the program with skl run)");
		break;
	case ECONNREFUSED:
		text_add(text, "nobody listens at ");
		text_add(text, path);
		text_add(text, ": its helper has ended (start sklhelper, or start the program with skl run)");
		break;
	case EACCES:
	case EPERM:
		may_not_connect(text, path);
		break;
	case ETIMEDOUT:
		text_add(text, "the helper at ");
		text_add(text, path);
		text_add(text, " took no request within ");
		text_add_number(text, ASK_SECONDS);
		text_add(text, " s");
		break;
	default:
		text_add(text, path);
		text_add(text, " is no helper's socket (is SKL_HELPER right?)");
	}
}

static void no_reply(struct text *text, const char *path, int error)
{
	text_add(text, "the helper at ");
	text_add(text, path);
	switch (error) {
	case ECONNRESET:
		text_add(text, " hung up without an answer (its log says why)");
		break;
	case ETIMEDOUT:
		text_add(text, " gave no answer within ");
		text_add_number(text, ASK_SECONDS);
		text_add(text, " s");
		break;
	default:
		text_add(text, " cannot be talked to");
	}
}

void why_explain(struct text *text, const struct ask *ask, enum ask_end end, int error, int moved)
{
	const char *path = ask->env->helper;

	switch (end) {
	case ASK_ANSWERED:
		text_add(text, "the helper gave no reason");
		break;
	case ASK_NOT_SENT:
		text_add(text, "the SKL_* variables take more than ");
		text_add_number(text, SKL_TEXT_MAX);
		text_add(text, " bytes together (make lists of ranges, or prefixes shorter)");
		break;
	case ASK_NO_PATH:
		text_add(text, "SKL_HELPER is longer than the 107 bytes that a socket's path may have");
		break;
	case ASK_NO_SOCKET:
		no_socket(text, error);
		break;
	case ASK_NO_CONNECTION:
		no_connection(text, path, error, moved);
		break;
	case ASK_NO_REPLY:
		no_reply(text, path, error);
		break;
	case ASK_BAD_REPLY:
		text_add(text, path);
		text_add(text, error == EPROTONOSUPPORT
				       ? " speaks another version (install shim and helper of one release)"
				       : " answered what no helper would (is SKL_HELPER right?)");
		break;
	}
}
