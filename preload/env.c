// SPDX-License-Identifier: BSD-2-Clause
#include "preload/env.h"

#include <stddef.h>

#include "preload/sys.h"

enum variable { HELPER, WAIT, ON_ERROR, DEBUG, DISABLE, SHARE, N_READ_HERE };

static const char names[N_READ_HERE][16] = {
	[HELPER] = "SKL_HELPER=", [WAIT] = "SKL_WAIT=",	      [ON_ERROR] = "SKL_ON_ERROR=",
	[DEBUG] = "SKL_DEBUG=",	  [DISABLE] = "SKL_DISABLE=", [SHARE] = "SKL_SHARE=",
};

/* Any of these is a wish; what it says, also when it says nothing, is for the helper to judge. */
static const char wishes[][16] = {"SKL_PORTS=", "SKL_CIDRS=", "SKL_BIND=", "SKL_SHARE="};

/* Returns what follows the prefix, or NULL. */
static const char *after(const char *string, const char *prefix)
{
	while (*prefix) {
		if (*string++ != *prefix++)
			return NULL;
	}
	return string;
}

static int is_on(const char *value)
{
	return value[0] && !(value[0] == '0' && !value[1]);
}

/* "5s", "500ms", "2m", or a number of seconds. Anything else is 0 here; the helper names the mistake. */
static __u64 milliseconds(const char *value)
{
	const char *unit = value;
	__u64 n = 0;

	while (*unit >= '0' && *unit <= '9')
		n = n * 10 + (__u64)(*unit++ - '0');
	if (unit == value || unit - value > 9)
		return 0;
	if (!*unit || (unit[0] == 's' && !unit[1]))
		return n * 1000;
	if (unit[0] == 'm' && !unit[1])
		return n * 60000;
	if (unit[0] == 'm' && unit[1] == 's' && !unit[2])
		return n;
	return 0;
}

static void understand(struct env *env, enum variable variable, const char *value)
{
	const char *rest;

	switch (variable) {
	case HELPER:
		if (*value)
			env->helper = value;
		break;
	case WAIT:
		env->wait_ms = milliseconds(value);
		break;
	case ON_ERROR:
		rest = after(value, "warn");
		env->warn = rest && !*rest;
		break;
	case DEBUG:
		env->debug = (__u8)is_on(value);
		break;
	case DISABLE:
		env->disabled = (__u8)is_on(value);
		break;
	case SHARE:
		env->share = *value != '\0';
		break;
	case N_READ_HERE:
		break;
	}
}

/* The variable at `entry` is complete, or as much of it as fits. */
static void note(struct env *env, const char *entry)
{
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		if (after(entry, wishes[i]))
			env->wanted = 1;
	}
	for (enum variable v = 0; v < N_READ_HERE; v++) {
		const char *value = after(entry, names[v]);

		if (value && !(env->seen & 1u << v)) {
			env->seen |= (__u8)(1u << v);
			understand(env, v, value);
		}
	}
}

/* Takes an environment byte by byte, so that it does not matter where it comes from. */
struct collector {
	struct env *env;
	__u32 used;  /* of env->text; from env->length on: the variable being read */
	__u8 other;  /* it is none of ours: skip to its end */
	__u8 equals; /* its name is complete; a string without '=' is no variable */
};

static void collect(struct collector *c, char byte)
{
	static const char prefix[] = "SKL_";
	struct env *env = c->env;
	__u32 at = c->used - env->length;

	if (!c->other && at < sizeof(prefix) - 1 && byte != prefix[at])
		c->other = 1;
	if (byte) {
		c->equals |= byte == '=';
		if (!c->other && c->used < sizeof(env->text) - 1)
			env->text[c->used++] = byte;
		return;
	}

	if (!c->other && c->equals) {
		env->text[c->used++] = '\0';
		note(env, env->text + env->length);
		if (c->used <= SKL_TEXT_MAX)
			env->length = c->used;
		else
			env->too_long = 1;
	}
	c->used = env->length;
	c->other = c->equals = 0;
}

static void collect_from_kernel(struct collector *c)
{
	char buffer[512] = {0};
	int fd = sys_open("/proc/self/environ", O_CLOEXEC);
	long n;

	if (fd < 0)
		return;
	while ((n = sys_read(fd, buffer, sizeof(buffer))) > 0 || n == -EINTR) {
		for (long i = 0; i < n; i++)
			collect(c, buffer[i]);
	}
	sys_close(fd);
	if (c->used > c->env->length)
		collect(c, '\0');
}

void env_read(struct env *env, char *const *variables)
{
	struct collector c = {.env = env};

	env->helper = SKL_HELPER_SOCKET;
	if (!variables) {
		collect_from_kernel(&c);
		return;
	}
	for (; *variables; variables++) {
		const char *byte = *variables;

		do {
			collect(&c, *byte);
		} while (*byte++);
	}
}
