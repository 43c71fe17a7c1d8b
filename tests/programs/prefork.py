#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Four processes on one port of 127.0.0.1, which say who they are: prefork.py shared|each PORT

shared: the parent binds and listens, and its children accept, as gunicorn's do.
each: every child has a socket of its own (SO_REUSEPORT).
"""
import os
import signal
import socket
import sys

how, port = sys.argv[1], int(sys.argv[2])


def listener():
    return socket.create_server(("127.0.0.1", port), reuse_port=how == "each", backlog=128)


def serve(sock):
    while True:
        connection = sock.accept()[0]
        address, reached = connection.getsockname()
        connection.sendall(b"prefork %d: reached %s port %d\n" % (os.getpid(), address.encode(), reached))
        connection.close()


common = listener() if how == "shared" else None
for _ in range(4):
    if os.fork() == 0:
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)
        try:
            serve(common or listener())
        finally:
            os._exit(1)
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
