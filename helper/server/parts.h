/* SPDX-License-Identifier: BSD-2-Clause */
/* The parts of the server, for each other. */
#ifndef SKL_SERVER_PARTS_H
#define SKL_SERVER_PARTS_H

#include "helper/claim.h"
#include "helper/say.h"
#include "helper/server/peer.h"
#include "helper/server/server.h"

/* ---- socket.c: makes the socket, listening, and its directory. A descriptor or -errno; see server_open().
 * ---- */
int socket_open(const struct server_options *options);

/* ---- activation.c: the socket that was passed by who started the helper. A descriptor, -ENOENT where none
 * was, or -errno. ---- */
int activation_socket(void);

/* ---- serve.c ---- */

/* Reads one request of the peer from a connection that is ready, and answers. */
void server_serve(struct server *s, int conn, struct peer *peer);

/* Takes what was asked off the connection, without a look at it, and answers -errno with what was said. */
void server_turn_away(int conn, int err, const struct say *said);

/* ---- server.c ---- */
struct claims server_claims(const struct server *s);

/* Keeps the helper from leaving while the peer's process lives. 0, or -errno with the sentence. */
int server_expect(struct server *s, struct peer *peer, struct say *said);

/* Tells the peer on this socket of decisions from now on. 0, or -errno with the sentence. */
int server_trace(struct server *s, const struct peer *peer, const char *text, size_t length, int sock,
		 struct say *said);

#endif
