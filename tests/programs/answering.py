#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""answering.py ADDRESS PORT TIMES: the processes that answer there, sorted, each once. All connections are open
before any asks: whoever has one waits, so that others who accept from the same socket get the next."""

import socket
import sys
import time


def connect(address, port):
    try:
        return socket.create_connection((address, port), timeout=10)
    except OSError as err:
        return err


def answer(conn):
    try:
        conn.sendall(b"x\n")
        return conn.recv(64).decode().strip()
    except (AttributeError, OSError) as err:
        return f"error {getattr(err, 'errno', conn)}"


address, port, times = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
conns = [connect(address, port) for _ in range(times)]
time.sleep(0.1)
for said in sorted({answer(conn) for conn in conns}):
    print(said)
