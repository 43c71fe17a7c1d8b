// SPDX-License-Identifier: BSD-2-Clause
/* Messages with descriptors over a socket pair: what arrives, what is refused, and that no descriptor is
 * left. */
#include "tests/unit/objects.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "helper/fdpass.h"

#define ATTACHED_MAX 253 /* the kernel's SCM_MAX_FD */

struct ends {
	int here, there;
	size_t open; /* descriptors of this process, these two among them */
};

static size_t count_open(void)
{
	const struct timespec moment = {.tv_nsec = 20000000};
	size_t n = 0;
	DIR *d;

	nanosleep(&moment, NULL); /* refused descriptors are closed in a thread */
	d = opendir("/proc/self/fd");
	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* What was refused is closed by a thread of its own, in a moment. */
static size_t open_soon(size_t expected)
{
	const struct timespec moment = {.tv_nsec = 5000000};

	for (int i = 0; i < 1000 && count_open() != expected; i++)
		nanosleep(&moment, NULL);
	return count_open();
}

static int open_ends(void **state)
{
	static struct ends e;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) < 0)
		return -1;
	e = (struct ends){pair[0], pair[1], count_open()};
	*state = &e;
	return 0;
}

static int close_ends(void **state)
{
	const struct ends *e = *state;

	close(e->here);
	close(e->there);
	return 0;
}

static int some_file(void)
{
	int fd = open("/dev/null", O_RDONLY);

	assert_true(fd >= 0);
	return fd;
}

static bool same_file(int a, int b)
{
	struct stat x, y;

	return fstat(a, &x) == 0 && fstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* Sends with whatever attached, as a sender that means harm would. */
static void send_attached(int sock, const char *text, size_t length, const void *control,
			  size_t control_length)
{
	struct iovec part = {.iov_base = (void *)text, .iov_len = length};
	struct msghdr m = {.msg_iov = &part,
			   .msg_iovlen = 1,
			   .msg_control = (void *)control,
			   .msg_controllen = control_length};

	assert_int_equal(sendmsg(sock, &m, 0), length);
}

static void send_descriptors(int sock, const char *text, size_t length, size_t n)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(ATTACHED_MAX * sizeof(int))];
	} control = {.head = {.cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_RIGHTS,
			      .cmsg_len = CMSG_LEN(n * sizeof(int))}};
	int fd = some_file();

	for (size_t i = 0; i < n; i++)
		memcpy(CMSG_DATA(&control.head) + i * sizeof(fd), &fd, sizeof(fd));
	send_attached(sock, text, length, &control, CMSG_SPACE(n * sizeof(int)));
	close(fd);
}

static void no_descriptor(void **state)
{
	const struct ends *e = *state;
	const struct iovec parts[] = {{"one ", 4}, {"", 0}, {"message", 8}};
	char buffer[64];
	int fd = 77;

	assert_int_equal(fdpass_send(e->here, parts, 3, -1), 0);
	assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), 12);
	assert_string_equal(buffer, "one message");
	assert_int_equal(fd, -1);
	assert_int_equal(open_soon(e->open), e->open);
}

static void one_descriptor(void **state)
{
	const struct ends *e = *state;
	const struct iovec part = {"x", 1};
	int sent = some_file(), fd = 77;
	char buffer[8];

	assert_int_equal(fdpass_send(e->here, &part, 1, sent), 0);
	assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), 1);
	assert_true(fd >= 0 && fd != sent);
	assert_true(same_file(fd, sent)); /* and the sender still has its own */
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(sent);
	close(fd);
	assert_int_equal(open_soon(e->open), e->open);
}

static void descriptor_0(void **state)
{
	const struct ends *e = *state;
	const struct iovec part = {"x", 1};
	int saved = dup(0), file = some_file(), fd = -1;
	char buffer[8];

	/* stdin may be closed or anything else where the tests run */
	assert_int_equal(dup2(file, 0), 0);
	assert_int_equal(fdpass_send(e->here, &part, 1, 0), 0);
	close(0);
	assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), 1);
	assert_int_equal(fd, 0); /* the lowest number is free: also that is a descriptor */
	assert_true(same_file(fd, file));
	if (saved >= 0)
		dup2(saved, 0);
	close(saved);
	close(file);
	assert_int_equal(open_soon(e->open), e->open);
}

static void more_than_one_is_refused(void **state)
{
	static const size_t numbers[] = {2, 3, 100, ATTACHED_MAX};
	const struct ends *e = *state;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		char buffer[8];
		int fd = 77;

		send_descriptors(e->here, "x", 1, numbers[i]);
		assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), -ETOOMANYREFS);
		assert_int_equal(fd, -1);
		assert_int_equal(open_soon(e->open), e->open);
	}
}

/* A full table of descriptors: the kernel then drops what was attached, and says so. */
static void what_cannot_be_received_is_refused(void **state)
{
	const struct ends *e = *state;
	struct rlimit was, now;
	char buffer[8];
	int fd = 77;
	ssize_t got;

	send_descriptors(e->here, "x", 1, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = (struct rlimit){.rlim_cur = 0, .rlim_max = was.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	got = fdpass_receive(e->there, buffer, sizeof(buffer), &fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_int_equal(got, -ETOOMANYREFS);
	assert_int_equal(fd, -1);
	assert_int_equal(open_soon(e->open), e->open);
}

static void too_long_is_refused(void **state)
{
	const struct ends *e = *state;
	const struct iovec part = {"123456789", 9};
	int file = some_file();

	for (size_t attached = 0; attached < 2; attached++) {
		char buffer[9] = "........";
		int fd = 77;

		assert_int_equal(fdpass_send(e->here, &part, 1, attached ? file : -1), 0);
		assert_int_equal(fdpass_receive(e->there, buffer, 8, &fd), -EMSGSIZE);
		assert_int_equal(fd, -1);
		assert_int_equal(buffer[8], 0);
		/* exactly full is fine, and the rest of the message before is not taken for a message */
		assert_int_equal(fdpass_send(e->here, &part, 1, -1), 0);
		assert_int_equal(fdpass_receive(e->there, buffer, 9, &fd), 9);
		assert_memory_equal(buffer, "123456789", 9);
	}
	close(file);
	assert_int_equal(open_soon(e->open), e->open);
}

/* A receiver that asked for credentials gets them with every message: these helpers never ask. */
static void credentials_are_refused(void **state)
{
	const struct ends *e = *state;
	const struct iovec part = {"x", 1};
	int yes = 1, file = some_file();

	assert_int_equal(setsockopt(e->there, SOL_SOCKET, SO_PASSCRED, &yes, sizeof(yes)), 0);
	for (size_t attached = 0; attached < 2; attached++) {
		char buffer[8];
		int fd = 77;

		assert_int_equal(fdpass_send(e->here, &part, 1, attached ? file : -1), 0);
		assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), -EBADMSG);
		assert_int_equal(fd, -1);
	}
	close(file);
	assert_int_equal(open_soon(e->open), e->open);
}

/* What the receiver did not ask for does not reach it, and does not hide the descriptor either. */
static void credentials_nobody_asked_for(void **state)
{
	const struct ends *e = *state;
	const struct ucred me = {getpid(), getuid(), getgid()};
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(me)) + CMSG_SPACE(sizeof(int))];
	} control = {.head = {.cmsg_level = SOL_SOCKET,
			      .cmsg_type = SCM_CREDENTIALS,
			      .cmsg_len = CMSG_LEN(sizeof(me))}};
	struct cmsghdr *rights = (struct cmsghdr *)(control.bytes + CMSG_SPACE(sizeof(me)));
	int file = some_file(), fd = 77;
	char buffer[8];

	memcpy(CMSG_DATA(&control.head), &me, sizeof(me));
	*rights = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
	memcpy(CMSG_DATA(rights), &file, sizeof(file));

	send_attached(e->here, "x", 1, &control, sizeof(control));
	assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), 1);
	assert_true(same_file(fd, file));
	close(fd);
	close(file);
	assert_int_equal(open_soon(e->open), e->open);
}

/* Each message stands for itself: what the last one had is not seen again. */
static void one_after_the_other(void **state)
{
	const struct ends *e = *state;
	const struct iovec part = {"x", 1};
	char buffer[8];
	int fd;

	for (size_t i = 0; i < 50; i++) {
		send_descriptors(e->here, "x", 1, i % 4);
		assert_int_equal(fdpass_send(e->here, &part, 1, -1), 0);
		assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd),
				 i % 4 > 1 ? -ETOOMANYREFS : 1);
		assert_int_equal(fd >= 0, i % 4 == 1);
		if (fd >= 0)
			close(fd);
		assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), 1);
		assert_int_equal(fd, -1);
	}
	assert_int_equal(open_soon(e->open), e->open);
}

/* An empty message is not told from the end; what came with it must not stay open unseen. */
static void empty_message(void **state)
{
	const struct ends *e = *state;
	char buffer[8];
	int fd = 77;

	for (size_t n = 0; n < 2; n++) {
		send_descriptors(e->here, "", 0, n);
		assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), 0);
		assert_int_equal(fd, -1);
		assert_int_equal(open_soon(e->open), e->open);
	}
	send_descriptors(e->here, "", 0, 2);
	assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), -ETOOMANYREFS);
	assert_int_equal(open_soon(e->open), e->open);
}

static void closed_by_the_peer(void **state)
{
	struct ends *e = *state;
	const struct iovec part = {"x", 1};
	char buffer[8];
	int fd = 77;

	/* what was sent before still arrives */
	assert_int_equal(fdpass_send(e->here, &part, 1, -1), 0);
	close(e->here);
	assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), 1);
	assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), 0);
	assert_int_equal(fd, -1);
	assert_int_equal(fdpass_send(e->there, &part, 1, -1), -EPIPE);
	e->here = -1;
}

/* The kernel would send it for a stream only. */
static void no_SIGPIPE(void **state)
{
	const struct ends *e = *state;
	const struct iovec part = {"x", 1};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	close(pair[0]);
	assert_int_equal(fdpass_send(pair[1], &part, 1, -1), -EPIPE);
	close(pair[1]);
	assert_int_equal(open_soon(e->open), e->open);
}

static void errors_of_the_kernel(void **state)
{
	const struct ends *e = *state;
	const struct iovec part = {"x", 1};
	char buffer[8];
	int fd = 77, err = 0;

	assert_int_equal(fdpass_receive(e->there, buffer, sizeof(buffer), &fd), -EAGAIN);
	assert_int_equal(fd, -1);
	for (size_t i = 0; i < 1000000 && !err; i++)
		err = fdpass_send(e->here, &part, 1, -1);
	assert_int_equal(err, -EAGAIN);
	assert_int_equal(fdpass_send(e->there, &part, 1, 1 << 20), -EBADF);
	assert_int_equal(fdpass_send(1 << 20, &part, 1, -1), -EBADF);
	assert_int_equal(fdpass_receive(1 << 20, buffer, sizeof(buffer), &fd), -EBADF);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_ends, close_ends)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(no_descriptor),
		TEST(one_descriptor),
		TEST(descriptor_0),
		TEST(more_than_one_is_refused),
		TEST(what_cannot_be_received_is_refused),
		TEST(too_long_is_refused),
		TEST(credentials_are_refused),
		TEST(credentials_nobody_asked_for),
		TEST(one_after_the_other),
		TEST(empty_message),
		TEST(closed_by_the_peer),
		TEST(no_SIGPIPE),
		TEST(errors_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
