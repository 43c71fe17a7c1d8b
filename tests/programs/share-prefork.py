#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""share-prefork.py PORT WORKERS: a master binds and listens, its workers serve; SIGTERM to the master ends them all."""
import os
import signal
import socket
import sys

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
workers = []
for _ in range(int(sys.argv[2])):
    pid = os.fork()
    if pid == 0:
        while True:
            c = s.accept()[0]
            c.recv(100)
            c.send(b"%d\n" % os.getpid())
            c.close()
    workers.append(pid)


def end(*_):
    for pid in workers:
        os.kill(pid, signal.SIGKILL)
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
print("serves", flush=True)
while True:
    signal.pause()
