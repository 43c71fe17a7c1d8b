// SPDX-License-Identifier: BSD-2-Clause
/* The helper's side of the questions in holders.h. */
#include "helper/broker/holders.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "helper/broker/broker.h"

/* Returns a descriptor or -errno. */
static int write_question(dev_t device, const uint64_t *inodes, size_t n_inodes,
			  const struct holders_one *known, size_t n_known)
{
	struct holders_question head = {
		.device = device, .n_inodes = (uint32_t)n_inodes, .n_known = (uint32_t)n_known};
	struct iovec parts[] = {
		{&head, sizeof(head)},
		{(void *)inodes, n_inodes * sizeof(*inodes)},
		{(void *)known, n_known * sizeof(*known)},
	};
	size_t size = parts[0].iov_len + parts[1].iov_len + parts[2].iov_len;
	int fd = memfd_create("question", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (writev(fd, parts, 3) == (ssize_t)size)
		return fd;
	close(fd);
	return -EIO;
}

static int read_answer(int fd, struct holders_one **found, size_t *n_found)
{
	struct stat st;
	size_t size;

	if (fstat(fd, &st) < 0)
		return -errno;
	size = (size_t)st.st_size;
	*found = malloc(size + 1);
	if (!*found)
		return -ENOMEM;
	if (pread(fd, *found, size, 0) != (ssize_t)size) {
		free(*found);
		return -EIO;
	}
	*n_found = size / sizeof(**found);
	return 0;
}

int holders_find(const uint64_t *inodes, size_t n_inodes, const struct holders_one *known, size_t n_known,
		 struct holders_one **found, size_t *n_found)
{
	struct broker_request request = {.order = BROKER_HOLDERS};
	struct broker_answer answer = {0};
	int question = write_question(0, inodes, n_inodes, known, n_known), got, err;

	if (question < 0)
		return question;
	err = broker_call(&request, question, -1, &answer, &got);
	close(question);
	if (err)
		return err;
	if (got < 0)
		return -EPROTO;
	err = read_answer(got, found, n_found);
	close(got);
	return err;
}

int holders_polled(pid_t pid, dev_t device, uint64_t inode)
{
	const struct holders_one process = {.pid = pid};
	struct broker_request request = {.order = BROKER_POLLED};
	struct broker_answer answer = {0};
	int question = write_question(device, &inode, 1, &process, 1), none, err;

	if (question < 0)
		return question;
	err = broker_call(&request, question, -1, &answer, &none);
	close(question);
	return err;
}
