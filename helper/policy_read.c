// SPDX-License-Identifier: BSD-2-Clause
#include "helper/policy_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LENGTH_MAX 262144

int policy_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

static int blame(grants_told *told, void *context, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int blame(grants_told *told, void *context, const char *format, ...)
{
	char sentence[400];
	va_list args;

	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	told(context, 0, true, sentence);
	return 1;
}

/* Whoever may write the file may have what he likes. */
static int check(int fd, const char *path, size_t *length, grants_told *told, void *context)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return blame(told, context, "cannot be looked at: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return blame(told, context, "is no regular file");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return blame(told, context, "belongs to uid %u, who may not grant anything: chown root %s",
			     st.st_uid, path);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return blame(told, context,
			     "has mode %04o, so others than its owner may write it: chmod go-w %s",
			     st.st_mode & 07777, path);
	if (st.st_size > LENGTH_MAX)
		return blame(told, context, "is longer than %d bytes", LENGTH_MAX);
	*length = (size_t)st.st_size;
	return 0;
}

/* Reads up to *length bytes, which becomes what there was. */
static int read_all(int fd, char *text, size_t *length)
{
	size_t have = 0;

	while (have < *length) {
		ssize_t n = read(fd, text + have, *length - have);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			break;
		have += n > 0 ? (size_t)n : 0;
	}
	*length = have;
	return 0;
}

int policy_read(int fd, const char *path, const struct names *names, grants_told *told, void *context,
		struct policy **out)
{
	size_t length = 0;
	int err = check(fd, path, &length, told, context);
	char *text;

	*out = NULL;
	if (err)
		return err;
	text = malloc(length + 1);
	if (!text)
		return blame(told, context, "%s", strerror(ENOMEM));
	err = read_all(fd, text, &length);
	if (err)
		err = blame(told, context, "cannot be read: %s", strerror(-err));
	else
		err = grants_parse(text, length, names, told, context, out);
	free(text);
	if (err == -ENOMEM)
		return blame(told, context, "%s", strerror(ENOMEM));
	if (*out)
		(*out)->path = path;
	return err;
}
