// SPDX-License-Identifier: BSD-2-Clause
#include "helper/policy_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper/broker/broker.h"
#include "helper/log.h"
#include "helper/names.h"
#include "helper/policy_read.h"

static int find_id(uint32_t order, const char *name, uint32_t *id)
{
	struct broker_request request = {.order = order};
	struct broker_answer answer = {0};
	int none, err;

	if (strlen(name) >= sizeof(request.name))
		return -ENOENT;
	memcpy(request.name, name, strlen(name) + 1);
	err = broker_call(&request, -1, -1, &answer, &none);
	*id = answer.id;
	return err;
}

static int find_user(void *context, const char *name, uint32_t *id)
{
	return find_id(BROKER_USER, name, id);
}

static int find_group(void *context, const char *name, uint32_t *id)
{
	return find_id(BROKER_GROUP, name, id);
}

static const struct names names_broker = {.user = find_user, .group = find_group};

static int open_file(void)
{
	struct broker_request request = {.order = BROKER_POLICY};
	struct broker_answer answer = {0};
	int fd, err = broker_call(&request, -1, -1, &answer, &fd);

	if (err)
		return err;
	return fd < 0 ? -EPROTO : fd;
}

static void log_mistake(void *context, unsigned int line, bool mistake, const char *sentence)
{
	const struct policy_file *f = context;

	if (mistake && line)
		log_error("%s:%u: %s", f->path, line, sentence);
	else if (mistake)
		log_error("%s: %s", f->path, sentence);
	else
		log_debug("%s:%u: %s", f->path, line, sentence);
}

static bool may_be_missing(const struct policy_file *f, int err)
{
	return !f->named && (err == -ENOENT || err == -ENOTDIR);
}

static void put_in_force(struct policy_file *f, struct policy *policy, bool missing)
{
	if (!missing)
		log_notice("%s: in force, with %zu grants", f->path, policy->n_grants);
	else if (f->now)
		log_notice("%s: not there: nothing is granted any more", f->path);
	policy_free(f->now);
	f->now = policy;
}

int policy_file_load(struct policy_file *f)
{
	struct policy *policy = NULL;
	int fd = open_file(), err = 0;

	if (fd >= 0) {
		err = policy_read(fd, f->path, &names_broker, log_mistake, f, &policy);
		close(fd);
	} else if (may_be_missing(f, fd)) {
		policy = policy_default();
		err = policy ? 0 : -ENOMEM;
	} else {
		log_error("%s: %s", f->path, strerror(-fd));
		err = fd;
	}
	if (!err) {
		put_in_force(f, policy, fd < 0);
		return 0;
	}
	if (f->now)
		log_error("%s: not taken: what was in force before stays", f->path);
	else
		log_error("%s: not taken: does not start with it", f->path);
	return 1;
}

void policy_file_close(struct policy_file *f)
{
	policy_free(f->now);
	f->now = NULL;
}

static void show(void *context, unsigned int line, bool mistake, const char *sentence)
{
	const struct policy_file *f = context;

	printf("%s:", f->path);
	if (line)
		printf("%u:", line);
	printf("%s %s\n", mistake ? " mistake:" : "", sentence);
}

static void show_rest(const struct policy *policy)
{
	printf("everybody else:");
	for (int i = 0; i < N_QUOTAS; i++)
		printf("%s %u %s", i ? "," : "", policy->quotas[i], quota_name((enum quota)i));
	printf("\n");
}

int policy_file_show(const struct policy_file *f)
{
	struct policy *policy = NULL;
	int fd = policy_open(f->path), n;

	if (may_be_missing(f, fd)) {
		printf("%s: not there: nothing is granted beyond what bind() allows\n", f->path);
		policy = policy_default();
		if (policy)
			show_rest(policy);
		policy_free(policy);
		return 0;
	}
	if (fd < 0) {
		log_error("%s: %s", f->path, strerror(-fd));
		return 1;
	}
	n = policy_read(fd, f->path, &names_system, show, (void *)f, &policy);
	close(fd);
	if (n) {
		fflush(stdout);
		log_error("%s: %d mistake%s", f->path, n, n == 1 ? "" : "s");
		return 1;
	}
	show_rest(policy);
	policy_free(policy);
	return 0;
}
