// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/diag.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define TCP_BOUND_INACTIVE 13 /* of the kernel's net/tcp_states.h */

struct list {
	struct holder *at;
	size_t n, room;
	uint8_t protocol; /* of those that are listed now */
	int err;
};

static void add(struct list *l, const struct holder *h)
{
	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 32;
		struct holder *larger = reallocarray(l->at, room, sizeof(*h));

		if (!larger) {
			l->err = -ENOMEM;
			return;
		}
		l->at = larger;
		l->room = room;
	}
	l->at[l->n++] = *h;
}

static int on_attribute(const struct nlattr *attr, void *data)
{
	uint8_t *v6only = data;

	if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY && mnl_attr_validate(attr, MNL_TYPE_U8) == 0)
		*v6only = mnl_attr_get_u8(attr);
	return MNL_CB_OK;
}

static int on_socket(const struct nlmsghdr *message, void *data)
{
	const struct inet_diag_msg *d = mnl_nlmsg_get_payload(message);
	struct list *l = data;
	uint8_t v6only = 0;
	struct holder h = {
		.cookie = (uint64_t)d->id.idiag_cookie[1] << 32 | d->id.idiag_cookie[0],
		.prefix = prefix_bound(d->idiag_family, d->id.idiag_src),
		.uid = d->idiag_uid,
		.port = ntohs(d->id.idiag_sport),
		.protocol = l->protocol,
	};

	mnl_attr_parse(message, sizeof(*d), on_attribute, &v6only);
	add(l, &h);
	if (h.prefix.family == AF_INET6 && h.prefix.length == 0 && !v6only) {
		h.prefix = prefix_any(AF_INET);
		add(l, &h);
	}
	return l->err ? MNL_CB_ERROR : MNL_CB_OK;
}

/*
 * The older form of the request (TCP only) lists both families at once. That
 * matters: to find who has bound a port and not yet listened, which kernels from
 * 6.8 on tell, the kernel walks a large table for each request.
 */
static void ask_tcp(struct nlmsghdr *header, bool bound_too)
{
	struct inet_diag_req *request;

	header->nlmsg_type = TCPDIAG_GETSOCK;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->idiag_family = AF_INET;
	request->idiag_states = 1u << TCP_LISTEN | (bound_too ? 1u << TCP_BOUND_INACTIVE : 0);
}

/* A UDP socket that is not connected is in the state TCP_CLOSE (net/ipv4/udp_diag.c). */
static void ask_udp(struct nlmsghdr *header, uint8_t family)
{
	struct inet_diag_req_v2 *request;

	header->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request = mnl_nlmsg_put_extra_header(header, sizeof(*request));
	request->sdiag_family = family;
	request->sdiag_protocol = IPPROTO_UDP;
	request->idiag_states = 1u << TCP_CLOSE;
}

static int dump(int sock, uint8_t protocol, uint8_t family, bool bound_too, struct list *l)
{
	static char buffer[32768];
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	uint32_t sequence = (uint32_t)time(NULL);
	ssize_t got;
	int run = MNL_CB_OK;

	l->protocol = protocol;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = sequence;
	if (protocol == IPPROTO_TCP)
		ask_tcp(header, bound_too);
	else
		ask_udp(header, family);
	if (send(sock, buffer, header->nlmsg_len, 0) < 0)
		return -errno;
	while (run > MNL_CB_STOP) {
		got = recv(sock, buffer, sizeof(buffer), 0);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		run = mnl_cb_run(buffer, (size_t)got, sequence, 0, on_socket, l);
	}
	if (run == MNL_CB_ERROR)
		return l->err ? l->err : -errno;
	return 0;
}

int diag_holders(int sock, bool udp_too, bool bound_too, struct holder **out, size_t *n)
{
	struct list l = {0};
	int err = dump(sock, IPPROTO_TCP, AF_UNSPEC, bound_too, &l);

	if (!err && udp_too)
		err = dump(sock, IPPROTO_UDP, AF_INET, false, &l);
	if (!err && udp_too)
		err = dump(sock, IPPROTO_UDP, AF_INET6, false, &l);
	if (err) {
		free(l.at);
		return err;
	}
	*out = l.at;
	*n = l.n;
	return 0;
}
