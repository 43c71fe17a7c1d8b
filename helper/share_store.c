// SPDX-License-Identifier: BSD-2-Clause
/*
 * The sockets of shares are also put into the service manager's store
 * (FileDescriptorStoreMax= of systemd), so that they outlive a helper that is
 * started anew. All that is not in the socket itself is in the name there. The
 * processes are found again by looking for them.
 */
#include "helper/share_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "helper/handed.h"
#include "helper/log.h"
#include "helper/notify.h"
#include "helper/space.h"

#define PREFIX	  HANDED_STORED_PREFIX
#define NAME_TEXT 192 /* the manager allows 255 */

/* "skl-share-UID-HOLD-FOUNDER-COOKIE-NAME": the cookie makes it unique. */
static void format_name(const struct share *share, size_t index, char out[NAME_TEXT])
{
	snprintf(out, NAME_TEXT, PREFIX "%u-%llu-%llx-%llx-%s", share->uid,
		 (unsigned long long)share->hold_ms, (unsigned long long)share->founder,
		 (unsigned long long)share->sockets[index].cookie, share->name);
}

void share_store(const struct share *share, size_t index)
{
	char name[NAME_TEXT], text[NAME_TEXT + 64];

	format_name(share, index, name);
	/* unpolled: a UDP socket with an error would be taken for one that nobody needs */
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	notify_tell(text, share->sockets[index].fd);
}

void share_unstore(const struct share *share, size_t index)
{
	char name[NAME_TEXT], text[NAME_TEXT + 64];

	format_name(share, index, name);
	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	notify_tell(text, -1);
}

struct kept {
	unsigned int uid;
	unsigned long long hold_ms, founder, cookie;
	char name[SHARE_NAME];
};

static bool read_name(const char *text, struct kept *k)
{
	int at = 0;

	if (sscanf(text, PREFIX "%u-%llu-%llx-%llx-%n", &k->uid, &k->hold_ms, &k->founder, &k->cookie, &at) <
		    4 ||
	    at == 0 || !text[at] || strlen(text + at) >= sizeof(k->name))
		return false;
	snprintf(k->name, sizeof(k->name), "%s", text + at);
	return true;
}

static int take(struct sharing *sharing, int fd, const struct kept *k)
{
	struct received received;
	struct share *share;
	struct say why = {0};
	struct stat st;
	size_t index;
	int err = received_read(fd, &received, &why);

	if (err)
		return err;
	share = shares_find(&sharing->all, k->uid, received.netns_ino, k->name);
	if (fstat(fd, &st) < 0 || received.cookie != k->cookie)
		err = -EBADF;
	else if (!share) {
		share = shares_add(&sharing->all, k->uid, received.netns_ino, k->name);
		err = share ? 0 : -ENOMEM;
	}
	if (!err) {
		share->hold_ms = k->hold_ms;
		share->founder = k->founder;
		index = share_add_socket(share, received.cookie, st.st_ino, &received.listener, fd);
		share->sockets[index].last_instance = k->founder;
	}
	received_close(&received);
	return err;
}

static void adopt_one(void *context, int fd, const char *name)
{
	struct kept k;
	int err = read_name(name, &k) ? take(context, fd, &k) : -EINVAL;
	char text[NAME_TEXT + 64];

	if (!err) {
		log_notice("share \"%s\" of uid %u: taken over", k.name, k.uid);
		return;
	}
	log_warn("%s: cannot be taken over: %s", name, strerror(-err));
	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%.*s", NAME_TEXT, name);
	notify_tell(text, -1);
	close(fd);
}

void share_adopt(struct sharing *sharing)
{
	if (notify_open())
		sharing->manager = getppid();
	handed_each(HANDED_STORED, adopt_one, sharing);
}
