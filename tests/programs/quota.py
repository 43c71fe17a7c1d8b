#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Somebody who wants much: quota.py CASE [ARG...]. Answers are printed as "ok" or the name of an errno."""
import array
import collections
import errno
import os
import re
import signal
import socket
import struct
import sys
import time

HELPER = "/run/skl/helper.sock"
CLAIM_LISTEN, STATUS = 1, 4


def message(kind, variables=()):
    text = b"".join(v.encode() + b"\0" for v in variables)
    return struct.pack("=IHHIiQ", 0x5F6C6B73, 1, kind, 24 + len(text), 0, 0) + text


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(HELPER)  # with a timeout of Python's it would fail where it is to wait
    s.settimeout(20)
    return s


def send(conn, kind=STATUS, variables=(), sock=None):
    fds = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [sock.fileno()]))] if sock else []
    conn.sendmsg([message(kind, variables)], fds)


def receive(conn):
    """The answer and its sentence."""
    reply = conn.recv(4096)
    if not reply:
        return "closed", ""
    code = struct.unpack_from("=IHHIi", reply)[4]
    return errno.errorcode[code] if code else "ok", reply[16:].decode()


def ask(*args, **how):
    with connect() as conn:
        send(conn, *args, **how)
        return receive(conn)


def listener(reuseport=None):
    s = socket.socket()
    if reuseport:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    s.bind(("127.0.0.1", reuseport or 0))
    s.listen()
    return s


def claim(sock, ports):
    return ask(CLAIM_LISTEN, ["SKL_PORTS=" + ports], sock)


def listeners(n):
    """n of them; then one ends, and another one comes at once."""
    have, last = [], ""
    for i in range(int(n)):
        have.append(listener())
        answer, said = claim(have[-1], str(20000 + i))
        print(answer)
        last = said or last
    print(last)
    have[0].close()
    time.sleep(0.1)
    print("again", *claim(have[-1], str(20000 + int(n))))


def reuseport(n):
    have = []
    for _ in range(int(n)):
        have.append(listener(7000))
        print(*claim(have[-1], "20000"))


def bindings(*ports):
    """One listener, a claim for each."""
    s = listener()
    for one in ports:
        print(*claim(s, one))


def rate(n):
    """So many requests, one right after the other; then patience as it is asked for."""
    conns = []
    for _ in range(int(n)):
        conns.append(connect())
        send(conns[-1])
    answers = [receive(conn) for conn in conns]
    print(*[f"{name} {count}" for name, count in sorted(collections.Counter(a for a, _ in answers).items())])
    refused = [said for answer, said in answers if answer == "EAGAIN"]
    if refused:
        print(refused[0])
        time.sleep(int(re.search(r"try again in (\d+) ms", refused[-1])[1]) / 1000)
        print("later", ask()[0])


def silent(n, pause):
    """So many connections without a word, but for the last: which of them does the helper keep?"""
    conns = []
    for _ in range(int(n)):
        conns.append(connect())
        time.sleep(float(pause))
    send(conns[-1])  # its answer says that all before it were looked at, too
    conns[-1].settimeout(5)
    last = receive(conns[-1])[0]
    for i, conn in enumerate(conns[:-1]):
        conn.setblocking(False)
        try:
            print(i, receive(conn)[0])
        except BlockingIOError:
            print(i, "open")
    print("last", last)


def wait(seconds):
    """One connection that takes its time."""
    conn = connect()
    time.sleep(float(seconds))
    send(conn)
    print(receive(conn)[0])


def namespaces(n, uid):
    """A listener of that user in each of so many network namespaces; then one of somebody else. As root."""
    answers, pids = [], []
    for i in range(int(n) + 1):
        r, w = os.pipe()
        pids.append(os.fork())
        if pids[-1] == 0:
            os.unshare(os.CLONE_NEWNET) if hasattr(os, "unshare") else unshare_net()
            os.setgroups([])
            os.setresuid(*3 * [int(uid) + (i == int(n))])
            s = listener()
            os.write(w, " ".join(claim(s, "20000")).encode() + b"\n")
            time.sleep(60 * int(os.environ.get("TESTS_SLOW", "1")))
            os._exit(0)
        os.close(w)
        with open(r, encoding="ascii") as f:
            answers.append(f.readline().strip())
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    print("\n".join(answers))


def unshare_net():
    import ctypes  # pylint: disable=import-outside-toplevel

    if ctypes.CDLL(None).unshare(0x40000000) != 0:
        raise OSError("unshare")


CASES = {f.__name__: f for f in (listeners, reuseport, bindings, rate, silent, wait, namespaces)}
CASES[sys.argv[1]](*sys.argv[2:])
