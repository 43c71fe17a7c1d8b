// SPDX-License-Identifier: BSD-2-Clause
/* One request and its answer. */
#include "helper/server/parts.h"

#include <errno.h>
#include <unistd.h>

#include "helper/detach.h"
#include "helper/discard.h"
#include "helper/fdpass.h"
#include "helper/status.h"
#include "helper/wire.h"

#define LONGEST	     (sizeof(struct skl_request) + SKL_TEXT_MAX)
#define LONGEST_JOIN (LONGEST + sizeof(struct skl_join))

static void answer(int conn, int err, const struct say *said, int attached)
{
	struct skl_reply reply = {
		.magic = SKL_WIRE_MAGIC,
		.version = SKL_WIRE_VERSION,
		.length = (uint32_t)(sizeof(reply) + said->length),
		.error = -err,
	};
	struct iovec parts[] = {{&reply, sizeof(reply)}, {(void *)said->text, said->length}};

	/* who does not wait for the answer does not get it */
	fdpass_send(conn, parts, 2, attached);
}

static int dispatch(struct server *s, struct peer *peer, const struct skl_request *request, const char *text,
		    size_t length, int fd, struct say *said, int *attached)
{
	struct claims claims = server_claims(s);

	switch (request->kind) {
	case SKL_CLAIM_LISTEN:
	case SKL_CLAIM_BIND:
	case SKL_CLAIM_ATTACH:
	case SKL_CHECK:
		return claim(&claims, peer, request, text, length, fd, said);
	case SKL_CLAIM_JOIN:
		return claim_join(&claims, peer, request, text, length, fd, attached, said);
	case SKL_STATUS:
		*attached = status_memfd(claims.spaces, claims.sharing, peer);
		if (*attached < 0)
			return say_error(said, -*attached, "status", "cannot be written");
		return 0;
	case SKL_DETACH:
		return detach(claims.spaces, peer, text, length, said);
	case SKL_TRACE:
		return server_trace(s, peer, text, length, fd, said);
	case SKL_EXPECT:
		return server_expect(s, peer, said);
	default:
		return say_error(said, EOPNOTSUPP, "request", "kind %u is not known to this helper",
				 request->kind);
	}
}

static int check_header(const struct skl_request *request, size_t got, struct say *said)
{
	/* magic, version, kind and length stand where they are in every version */
	if (got < 12 || request->magic != SKL_WIRE_MAGIC)
		return say_error(said, EBADMSG, "request", "this is not a request to an skl helper");
	if (request->version != SKL_WIRE_VERSION)
		return say_error(said, EPROTONOSUPPORT, "request",
				 "version %u of the wire was spoken, this helper speaks %u (the shim and the "
				 "helper are of different releases)",
				 request->version, SKL_WIRE_VERSION);
	if (got < sizeof(*request) || request->length != got)
		return say_error(said, EBADMSG, "request", "%zu bytes came, %u were announced", got,
				 request->length);
	if (request->pid != 0 && request->kind > SKL_CLAIM_ATTACH)
		return say_error(said, EBADMSG, "request", "kind %u names no process", request->kind);
	return 0;
}

static int refuse_message(ssize_t err, struct say *said)
{
	if (err == -ETOOMANYREFS)
		return say_error(said, ETOOMANYREFS, "request", "more than one descriptor came with it");
	if (err == -EMSGSIZE)
		return say_error(said, EMSGSIZE, "request", "longer than %zu bytes", LONGEST);
	return say_error(said, (int)-err, "request", "it could not be received");
}

/* One request from a connection that is ready to be read. */
void server_serve(struct server *s, int conn, struct peer *peer)
{
	static union {
		struct skl_request header;
		char bytes[LONGEST_JOIN];
	} message;
	struct say said = {0};
	int fd = -1, attached = -1, err;
	ssize_t got;

	got = fdpass_receive(conn, &message, sizeof(message), &fd);
	if (got == 0)
		return;
	if (got > (ssize_t)LONGEST && message.header.kind != SKL_CLAIM_JOIN)
		got = -EMSGSIZE;
	if (got < 0) {
		err = refuse_message(got, &said);
	} else {
		err = check_header(&message.header, (size_t)got, &said);
		if (!err) {
			peer_find_process(conn, peer);
			err = dispatch(s, peer, &message.header, message.bytes + sizeof(message.header),
				       (size_t)got - sizeof(message.header), fd, &said, &attached);
		}
	}
	discard(fd);
	answer(conn, err, &said, attached);
	if (attached >= 0)
		close(attached);
}

void server_turn_away(int conn, int err, const struct say *said)
{
	char byte;
	int fd;

	fdpass_receive(conn, &byte, sizeof(byte), &fd);
	discard(fd);
	answer(conn, err, said, -1);
}
