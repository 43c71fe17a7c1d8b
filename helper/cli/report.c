// SPDX-License-Identifier: BSD-2-Clause
#include "helper/cli/report.h"

#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Many times what a helper with full tables has to say. */
#define SIZE_MAX_READ (64l << 20)

/* Reads the whole file; mapping it would let whoever shortens it kill us. */
static int read_all(int fd, char **data, size_t *size)
{
	size_t done = 0;
	struct stat st;
	char *buffer;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size < 0)
		return -EBADMSG;
	if (st.st_size > SIZE_MAX_READ)
		return -EFBIG;
	buffer = malloc((size_t)st.st_size + 1);
	if (!buffer)
		return -ENOMEM;
	while (done < (size_t)st.st_size) {
		ssize_t n = pread(fd, buffer + done, (size_t)st.st_size - done, (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			int err = n < 0 ? -errno : -EBADMSG;

			free(buffer);
			return err;
		}
		done += (size_t)n;
	}
	*data = buffer;
	*size = done;
	return 0;
}

/* The head of the record at `at`. Returns false at the end and, with *err set, where it is malformed. */
static bool next_record(const char *data, size_t size, size_t at, struct skl_record *head, int *err)
{
	*err = 0;
	if (at == size)
		return false;
	*err = -EBADMSG;
	if (size - at < sizeof(*head))
		return false;
	memcpy(head, data + at, sizeof(*head));
	if (head->length < sizeof(*head) || head->length % 8 != 0 || head->length > size - at)
		return false;
	*err = 0;
	return true;
}

static bool valid_protocol(unsigned int family, unsigned int protocol)
{
	return (family == AF_INET || family == AF_INET6) &&
	       (protocol == IPPROTO_TCP || protocol == IPPROTO_UDP);
}

static int take_listener(struct report *r, const char *data, size_t length)
{
	struct report_listener *l = &r->listeners[r->n_listeners];
	struct skl_record_listener *record = &l->record;

	if (length < sizeof(*record))
		return -EBADMSG;
	memcpy(record, data, sizeof(*record));
	if (!valid_protocol(record->family, record->protocol) ||
	    (record->state != SKL_LISTENER_LIVE && record->state != SKL_LISTENER_STALE))
		return -EBADMSG;
	record->program[sizeof(record->program) - 1] = '\0';
	l->bindings = &r->bindings[r->n_bindings];
	l->n_bindings = 0;
	r->n_listeners++;
	return 0;
}

static int take_binding(struct report *r, const char *data, size_t length)
{
	struct skl_record_binding *b = &r->bindings[r->n_bindings];
	struct report_listener *l;

	if (length < sizeof(*b) || r->n_listeners == 0)
		return -EBADMSG;
	l = &r->listeners[r->n_listeners - 1];
	memcpy(b, data, sizeof(*b));
	if (!valid_protocol(b->family, b->protocol) || b->listener != l->record.id ||
	    b->prefixlen > (b->family == AF_INET6 ? 128 : 32) || b->port_first > b->port_last ||
	    b->state < SKL_BINDING_LIVE || b->state > SKL_BINDING_SHADOWED)
		return -EBADMSG;
	b->less[sizeof(b->less) - 1] = '\0';
	l->n_bindings++;
	r->n_bindings++;
	return 0;
}

static int take_share(struct report *r, const char *data, size_t length)
{
	struct report_share *s = &r->shares[r->n_shares];

	if (length < sizeof(s->record))
		return -EBADMSG;
	memcpy(&s->record, data, sizeof(s->record));
	s->record.name[sizeof(s->record.name) - 1] = '\0';
	s->sockets = &r->sockets[r->n_sockets];
	s->members = &r->members[r->n_members];
	s->n_sockets = s->n_members = 0;
	r->n_shares++;
	return 0;
}

static int take_share_socket(struct report *r, const char *data, size_t length)
{
	struct skl_record_share_socket *socket = &r->sockets[r->n_sockets];
	struct report_share *s = r->n_shares ? &r->shares[r->n_shares - 1] : NULL;

	if (length < sizeof(*socket) || !s)
		return -EBADMSG;
	memcpy(socket, data, sizeof(*socket));
	if (!valid_protocol(socket->family, socket->protocol) || socket->share != s->record.id)
		return -EBADMSG;
	s->n_sockets++;
	r->n_sockets++;
	return 0;
}

static int take_share_member(struct report *r, const char *data, size_t length)
{
	struct skl_record_share_member *member = &r->members[r->n_members];
	struct report_share *s = r->n_shares ? &r->shares[r->n_shares - 1] : NULL;

	if (length < sizeof(*member) || !s)
		return -EBADMSG;
	memcpy(member, data, sizeof(*member));
	if (member->share != s->record.id || member->pid <= 0)
		return -EBADMSG;
	member->program[sizeof(member->program) - 1] = '\0';
	s->n_members++;
	r->n_members++;
	return 0;
}

static int take_error(struct report *r, const char *data, size_t length)
{
	struct skl_record_error *e = &r->errors[r->n_errors];

	if (length < sizeof(*e) || r->n_bindings == 0)
		return -EBADMSG;
	memcpy(e, data, sizeof(*e));
	if (e->binding != r->bindings[r->n_bindings - 1].id || e->error == 0 || e->error > INT_MAX)
		return -EBADMSG;
	r->n_errors++;
	return 0;
}

const struct skl_record_error *report_errors(const struct report *report, const struct skl_record_binding *b,
					     size_t *n)
{
	size_t first = 0;

	*n = 0;
	if (b->errors == 0)
		return NULL;
	while (first < report->n_errors && report->errors[first].binding != b->id)
		first++;
	while (first + *n < report->n_errors && report->errors[first + *n].binding == b->id)
		++*n;
	return report->errors + first;
}

static int take_helper(struct report *r, const char *data, size_t length)
{
	if (length < sizeof(r->helper))
		return -EBADMSG;
	memcpy(&r->helper, data, sizeof(r->helper));
	r->helper.version[sizeof(r->helper.version) - 1] = '\0';
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct report_listener *x = a, *y = b;

	return (x->record.id > y->record.id) - (x->record.id < y->record.id);
}

static int by_share_id(const void *a, const void *b)
{
	const struct report_share *x = a, *y = b;

	return (x->record.id > y->record.id) - (x->record.id < y->record.id);
}

typedef int take(struct report *r, const char *data, size_t length);

static take *const takers[] = {
	[SKL_RECORD_LISTENER] = take_listener,
	[SKL_RECORD_BINDING] = take_binding,
	[SKL_RECORD_SHARE] = take_share,
	[SKL_RECORD_SHARE_SOCKET] = take_share_socket,
	[SKL_RECORD_SHARE_MEMBER] = take_share_member,
	[SKL_RECORD_ERROR] = take_error,
	[SKL_RECORD_HELPER] = take_helper,
};

static int parse(const char *data, size_t size, struct report *r)
{
	struct skl_record head;
	int err;

	for (size_t at = 0; next_record(data, size, at, &head, &err); at += head.length) {
		if (head.kind < sizeof(takers) / sizeof(takers[0]) && takers[head.kind])
			err = takers[head.kind](r, data + at, head.length);
		if (err)
			break;
	}
	return err;
}

int report_read(int fd, struct report *report)
{
	size_t size = 0;
	char *data = NULL;
	int err = read_all(fd, &data, &size);

	if (err)
		return err;
	memset(report, 0, sizeof(*report));
	/* as many as there could be at most */
	report->listeners = calloc(size / sizeof(struct skl_record_listener) + 1, sizeof(*report->listeners));
	report->bindings = calloc(size / sizeof(struct skl_record_binding) + 1, sizeof(*report->bindings));
	report->shares = calloc(size / sizeof(struct skl_record_share) + 1, sizeof(*report->shares));
	report->sockets = calloc(size / sizeof(struct skl_record_share_socket) + 1, sizeof(*report->sockets));
	report->members = calloc(size / sizeof(struct skl_record_share_member) + 1, sizeof(*report->members));
	report->errors = calloc(size / sizeof(struct skl_record_error) + 1, sizeof(*report->errors));
	err = -ENOMEM;
	if (report->listeners && report->bindings && report->shares && report->sockets && report->members &&
	    report->errors)
		err = parse(data, size, report);
	free(data);
	if (err) {
		report_free(report);
		return err;
	}
	qsort(report->listeners, report->n_listeners, sizeof(*report->listeners), by_id);
	qsort(report->shares, report->n_shares, sizeof(*report->shares), by_share_id);
	return 0;
}

void report_free(struct report *report)
{
	free(report->listeners);
	free(report->bindings);
	free(report->shares);
	free(report->sockets);
	free(report->members);
	free(report->errors);
	memset(report, 0, sizeof(*report));
}
