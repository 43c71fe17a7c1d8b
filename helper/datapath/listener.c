// SPDX-License-Identifier: BSD-2-Clause
#include "helper/datapath/listener.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* An int option of the socket, or -errno. No option read here has a negative value. */
static int option(int fd, int level, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, name, &value, &length) < 0 ? -errno : value;
}

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static void take_address(const union address *a, struct listener *l)
{
	if (l->family == AF_INET) {
		memcpy(l->address, &a->v4.sin_addr, 4);
		l->port = ntohs(a->v4.sin_port);
	} else {
		memcpy(l->address, &a->v6.sin6_addr, 16);
		l->port = ntohs(a->v6.sin6_port);
	}
}

static int read_address(int fd, struct listener *l)
{
	union address a = {0};
	socklen_t length = sizeof(a);

	if (getsockname(fd, &a.any, &length) < 0)
		return -errno;
	take_address(&a, l);
	return 0;
}

static int refuse_state(int fd, const struct listener *l, struct say *s)
{
	struct tcp_info info = {0};
	socklen_t length = sizeof(info);
	char where[LISTENER_TEXT];

	listener_format(l, where);
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &length) == 0 && info.tcpi_state == TCP_ESTABLISHED)
		return say_error(s, EINVAL, where, "this socket is a connection, not a listener");
	return say_error(s, EINVAL, where, "this TCP socket does not listen");
}

static bool is_connected(int fd)
{
	struct sockaddr_storage peer;
	socklen_t length = sizeof(peer);

	return getpeername(fd, (struct sockaddr *)&peer, &length) == 0;
}

static int check_kind(int fd, struct listener *l, struct say *s)
{
	int family = option(fd, SOL_SOCKET, SO_DOMAIN), protocol = option(fd, SOL_SOCKET, SO_PROTOCOL);
	int type = option(fd, SOL_SOCKET, SO_TYPE);

	if (family < 0)
		return say_error(s, -family, "request", "what came with it is not a socket");
	if (protocol < 0 || type < 0)
		return say_error(s, protocol < 0 ? -protocol : -type, "request",
				 "what socket came with it cannot be read");
	if (family != AF_INET && family != AF_INET6)
		return say_error(s, EAFNOSUPPORT, "request",
				 "the socket is of address family %d, neither IPv4 nor IPv6", family);
	if (protocol == IPPROTO_MPTCP)
		return say_error(s, EOPNOTSUPP, "mptcp",
				 "the kernel cannot steer to MPTCP listeners; let the program use TCP (Go: "
				 "GODEBUG=multipathtcp=0)");
	if ((type != SOCK_STREAM || protocol != IPPROTO_TCP) &&
	    (type != SOCK_DGRAM || protocol != IPPROTO_UDP))
		return say_error(s, EPROTONOSUPPORT, "request",
				 "the socket is of type %d and protocol %d, neither TCP nor UDP", type,
				 protocol);
	l->family = (uint8_t)family;
	l->protocol = (uint8_t)protocol;
	return 0;
}

static int read_options(int fd, struct listener *l, struct say *s)
{
	int reuseport = option(fd, SOL_SOCKET, SO_REUSEPORT),
	    ifindex = option(fd, SOL_SOCKET, SO_BINDTOIFINDEX);
	int v6only = l->family == AF_INET6 ? option(fd, IPPROTO_IPV6, IPV6_V6ONLY) : 0;

	if (reuseport < 0 || ifindex < 0 || v6only < 0)
		return say_error(s, EIO, "request", "the socket's options cannot be read");
	l->reuseport = reuseport;
	l->ifindex = (uint32_t)ifindex;
	l->v6only = v6only;
	return 0;
}

/* The namespace is the socket's, which may be another than the one of the process that sent it. */
static int read_netns(int fd, struct received *r, struct say *s)
{
	struct stat st;
	int err;

	r->netns = ioctl(fd, SIOCGSKNS);
	if (r->netns < 0)
		return say_error(s, errno, "request",
				 "the helper may not look at the network namespace of this socket");
	if (fstat(r->netns, &st) < 0) {
		err = errno;
		received_close(r);
		return say_error(s, err, "request", "the socket's network namespace cannot be read");
	}
	r->netns_ino = st.st_ino;
	return 0;
}

int received_read_netns(int fd, struct received *out, struct say *s)
{
	*out = (struct received){.netns = -1};
	return read_netns(fd, out, s);
}

/* Its options, cookie and namespace. */
static int read_rest(int fd, struct received *out, struct say *s)
{
	socklen_t length = sizeof(out->cookie);
	int err = read_options(fd, &out->listener, s);

	if (err)
		return err;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &out->cookie, &length) < 0)
		return say_error(s, errno, "request", "the socket's cookie cannot be read");
	return read_netns(fd, out, s);
}

int received_read(int fd, struct received *out, struct say *s)
{
	struct listener *l = &out->listener;
	int err, listens;

	*out = (struct received){.netns = -1};
	err = check_kind(fd, l, s);
	if (err)
		return err;
	err = read_address(fd, l);
	if (err)
		return say_error(s, -err, "request", "the socket's address cannot be read");
	listens = l->protocol == IPPROTO_TCP ? option(fd, SOL_SOCKET, SO_ACCEPTCONN) : 1;
	if (listens < 0)
		return say_error(s, -listens, "request", "the socket's state cannot be read");
	if (!listens)
		return refuse_state(fd, l, s);
	if (l->protocol == IPPROTO_UDP && is_connected(fd))
		return say_error(s, EISCONN, "request",
				 "the UDP socket is connected to one peer, and serves no other");
	if (l->port == 0)
		return say_error(s, EINVAL, "request", "the socket is not bound to a port");
	return read_rest(fd, out, s);
}

int received_read_unbound(int fd, const void *address, size_t length, struct received *out, struct say *s)
{
	struct listener *l = &out->listener;
	union address a = {0};
	int err;

	*out = (struct received){.netns = -1};
	err = check_kind(fd, l, s);
	if (err)
		return err;
	err = read_address(fd, l);
	if (err)
		return say_error(s, -err, "request", "the socket's address cannot be read");
	if (l->port != 0)
		return -EALREADY;
	memcpy(&a, address, length < sizeof(a) ? length : sizeof(a));
	if (a.any.sa_family != l->family || length < (l->family == AF_INET ? sizeof(a.v4) : 24))
		return -EALREADY;
	take_address(&a, l);
	if (l->port == 0)
		return -EALREADY;
	err = read_rest(fd, out, s);
	/* an address that is not IPv4's makes the kernel set this */
	if (!err && l->family == AF_INET6 && !IN6_IS_ADDR_UNSPECIFIED(&a.v6.sin6_addr) &&
	    !IN6_IS_ADDR_V4MAPPED(&a.v6.sin6_addr))
		l->v6only = true;
	/* to bind to a link's address is to bind to the link */
	if (!err && l->family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&a.v6.sin6_addr) && a.v6.sin6_scope_id)
		l->ifindex = a.v6.sin6_scope_id;
	return err;
}

void received_close(struct received *r)
{
	if (r->netns >= 0)
		close(r->netns);
	r->netns = -1;
}
