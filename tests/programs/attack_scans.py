#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a hostile user might give the helper to look through: attack_scans.py CASE, as attack.py.

Its own descriptors, interfaces and routes are as many as the attacker likes; others are not to wait for them.
"""
import ctypes
import os
import resource
import select
import signal
import socket
import struct
import sys
import time

import attack
from attack import listener, others_wait, tell

CLAIM_BIND, CLAIM_JOIN = 2, 6
SECONDS = 6  # of each attack
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
MANY = min(HARD, 100000) - 1000  # descriptors of one process
INTERFACES, ROUTES = 2000, 50000
RTM_NEWLINK, RTM_NEWROUTE = 16, 24
PR_SET_DUMPABLE = 4


def until(seconds=SECONDS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield


def join_message(name, address, port):
    sockaddr = struct.pack("=H", socket.AF_INET) + struct.pack("!H4s8x", port, socket.inet_aton(address))
    text = f"SKL_SHARE={name}".encode() + b"\0"
    body = struct.pack("=I28s", len(sockaddr), sockaddr) + text
    return struct.pack("=IHHIiQ", attack.MAGIC, 1, CLAIM_JOIN, 24 + len(body), 0, 77) + body


def duplicate(fd, n):
    """As many descriptors of one file."""
    for _ in range(n):
        os.dup(fd)


# ---- descriptors ----


def descriptors():
    """Many processes with many descriptors each, in which the share's socket is never where it was."""
    last = listener("127.0.0.1", 4000)
    tell("share", attack.ask(["SKL_SHARE=one"], last))
    duplicate(0, MANY)
    for _ in range(60):
        if os.fork() == 0:
            time.sleep(2 * SECONDS)
            os._exit(0)
    for _ in until():
        following = last.dup()
        last.close()
        last = following
        tell("status", attack.status())
        time.sleep(0.02)


def polled():
    """A program that joins, and has many epoll instances with many sockets each."""
    epoll = select.epoll()
    pipe = os.pipe()
    for _ in range(3000):
        epoll.register(os.dup(pipe[0]))
    duplicate(epoll.fileno(), MANY - 4000)
    for _ in until():
        with socket.socket() as s, attack.connect() as conn:
            attack.send(conn, join_message("one", "127.0.0.1", 4000), [s])
            tell("join", attack.receive(conn))


# ---- the attacker's own network namespace ----


class Netlink:
    """A NETLINK_ROUTE socket that makes many things."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.bind((0, 0))

    def ask(self, kind, body):
        """Makes it; an error is one."""
        self.sock.send(struct.pack("=IHHII", 16 + len(body), kind, 0x1 | 0x4 | 0x200 | 0x400, 1, 0) + body)
        error = struct.unpack_from("=i", self.sock.recv(4096), 16)[0]
        if error:
            raise OSError(-error, "netlink")


def attribute(kind, value):
    return struct.pack("=HH", 4 + len(value), kind) + value + b"\0" * (-len(value) % 4)


def make_interfaces(n):
    route = Netlink()
    for i in range(n // 2):
        info = attribute(18, attribute(1, b"veth\0"))  # IFLA_LINKINFO, IFLA_INFO_KIND
        route.ask(RTM_NEWLINK, struct.pack("=BxHiII", 0, 0, 0, 0, 0) + attribute(3, f"d{i}\0".encode()) + info)


def make_routes(n):
    route = Netlink()
    for i in range(n):
        to = attribute(1, struct.pack("!I", 0x0A000000 + (i << 4))) + attribute(4, struct.pack("=i", 1))
        route.ask(RTM_NEWROUTE, struct.pack("=BBBBBBBBI", socket.AF_INET, 28, 0, 0, 254, 4, 253, 1, 0) + to)


def enter_own():
    """Network and user namespaces of its own, with all rights in them."""
    uid = os.getuid()
    attack.libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # so that its files in /proc are its own
    attack.unshare(attack.CLONE_NEWUSER | attack.CLONE_NEWNET)
    with open("/proc/self/setgroups", "w", encoding="ascii") as f:
        f.write("deny")
    for name in "uid_map", "gid_map":
        with open(f"/proc/self/{name}", "w", encoding="ascii") as f:
            f.write(f"0 {uid} 1\n")
    attack.loopback_up()


def udp(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("0.0.0.0", port))
    return s


def interfaces():
    make_interfaces(INTERFACES)
    tell("made", INTERFACES)
    with udp(4000) as s:
        tell("claim", attack.ask(["SKL_PORTS=4001"], s, kind=CLAIM_BIND))
        time.sleep(SECONDS)


def routes():
    make_routes(ROUTES)
    tell("made", ROUTES)
    prefixes = "SKL_CIDRS=" + ",".join(f"192.0.{i}.0/24" for i in range(200))
    with listener("0.0.0.0", 4000) as s:
        tell("claim", attack.ask(["SKL_PORTS=4001", prefixes], s))
    time.sleep(SECONDS)


def in_own(what):
    def run():
        enter_own()
        what()

    return run


CASES = {
    "descriptors": descriptors,
    "interfaces": in_own(interfaces),
    "polled": polled,
    "routes": in_own(routes),
}

if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_NOFILE, (HARD, HARD))
    signal.alarm(attack.END)
    others_wait(CASES[sys.argv[1]])
