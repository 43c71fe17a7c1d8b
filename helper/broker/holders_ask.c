// SPDX-License-Identifier: BSD-2-Clause
/* The helper's side of the questions in holders.h. */
#include "helper/broker/holders.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper/broker/broker.h"

static bool write_all(int fd, const void *bytes, size_t size)
{
	return write(fd, bytes, size) == (ssize_t)size;
}

/* Returns a descriptor or -errno. */
static int write_question(dev_t device, uint64_t search, const uint64_t *inodes, size_t n_inodes,
			  const struct holders_one *known, size_t n_known)
{
	struct holders_question head = {.device = device,
					.search = search,
					.n_inodes = (uint32_t)n_inodes,
					.n_known = (uint32_t)n_known};
	int fd = memfd_create("question", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write_all(fd, &head, sizeof(head)) && write_all(fd, inodes, n_inodes * sizeof(*inodes)) &&
	    write_all(fd, known, n_known * sizeof(*known)))
		return fd;
	close(fd);
	return -EIO;
}

static int read_answer(int fd, struct holders_one **found, size_t *n_found)
{
	off_t size = lseek(fd, 0, SEEK_END);

	if (size < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	*found = malloc((size_t)size + 1);
	if (!*found)
		return -ENOMEM;
	if (read(fd, *found, (size_t)size) != size) {
		free(*found);
		return -EIO;
	}
	*n_found = (size_t)size / sizeof(**found);
	return 0;
}

int holders_find(uint32_t uid, uint64_t search, const uint64_t *inodes, size_t n_inodes,
		 const struct holders_one *known, size_t n_known, struct holders_one **found, size_t *n_found)
{
	struct broker_request request = {.order = BROKER_HOLDERS, .uid = uid};
	struct broker_answer answer = {0};
	int question = write_question(0, search, inodes, n_inodes, known, n_known);
	int file = memfd_create("holders", MFD_CLOEXEC), none, err;

	if (question < 0 || file < 0)
		err = question < 0 ? question : -errno;
	else
		err = broker_call(&request, question, file, &answer, &none);
	if (!err)
		err = read_answer(file, found, n_found);
	if (question >= 0)
		close(question);
	if (file >= 0)
		close(file);
	return err;
}

int holders_polled(uint32_t uid, pid_t pid, dev_t device, uint64_t inode)
{
	const struct holders_one process = {.pid = pid};
	struct broker_request request = {.order = BROKER_POLLED, .uid = uid};
	struct broker_answer answer = {0};
	int question = write_question(device, 0, &inode, 1, &process, 1), none, err;

	if (question < 0)
		return question;
	err = broker_call(&request, question, -1, &answer, &none);
	close(question);
	return err;
}
