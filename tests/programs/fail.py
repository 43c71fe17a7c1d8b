#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Claims while calls of the helper fail: fail.py CONTROL HELPER-PID SCENARIO, as root in the test's namespaces.

tests/tools/lib-fail.c is preloaded into the helper and does what the file CONTROL says. A scenario's claim is made
again and again: the first call of the helper fails, then the second, and so on, until there is none left that
could. Each time the client gets an errno or success, what is refused leaves everything as it was, what is granted
works, and the next claim is granted. Prints "SCENARIO: N calls, ..."; what is wrong as "broken ...".
"""
import collections
import ctypes
import errno
import mmap
import os
import socket
import struct
import sys
import time

from attack import CLONE_NEWNET, ask, connect, connects, loopback_up, message, send, tell, unshare

ONE, ALL = 1, 2  # how calls fail: one, or that one and all later ones
RECORD = struct.Struct("=II")
LISTENER = struct.Struct("=8xQQQIiIHHBBBB4x16s16s")
BINDING = struct.Struct("=8xQQQQQHHBBBx16sH62s")
PATIENCE = 20
ANCHOR, EXTRA = 3000, 3077  # a listener that is there all the while, and what it covers

# what a claim that is refused for want of something may be told; whether others live may be what cannot be asked
CLEAN = {
    "ENOMEM", "ENOBUFS", "EMFILE", "ENFILE", "EPERM", "EACCES", "EIO", "ENOSPC", "EPROTO", "ESRCH", "EAGAIN",
    "EADDRINUSE", "closed",
}


class Control:
    """The other end of struct control."""

    def __init__(self, path):
        with open(path, "r+b") as f:
            self.at = mmap.mmap(f.fileno(), 48)

    def arm(self, how, n, memory_only):
        self.at[0:48] = struct.pack("=IiII32x", 0, n, 0, memory_only)
        self.at[0:4] = struct.pack("=I", how)

    def disarm(self):
        """How many calls have failed, and the name of the first."""
        self.at[0:4] = struct.pack("=I", 0)
        return struct.unpack_from("=I", self.at, 8)[0], self.at[16:48].split(b"\0")[0].decode()


# ---- what the helper says ----


def records():
    """Listeners by (netns, protocol, port), each with the set of its bindings."""
    with connect() as conn:
        conn.settimeout(PATIENCE)
        send(conn, message(kind=4))
        data, fds, _, _ = socket.recv_fds(conn, 4096, 1)
    if len(data) < 16 or not fds:
        raise RuntimeError(f"status: {data!r}")
    with open(fds[0], "rb") as f:
        data = os.pread(f.fileno(), 1 << 24, 0)
    found, at, current = {}, 0, None
    while at < len(data):
        kind, length = RECORD.unpack_from(data, at)
        if kind == 1:
            _, netns, _, _, _, _, port, members, _, protocol, *_ = LISTENER.unpack_from(data, at)
            current = found.setdefault((netns, protocol, port), set())
            current.add(members)
        elif kind == 2:
            _, _, _, _, _, first, last, family, _, plen, address, left, less = BINDING.unpack_from(data, at)
            current.add((first, last, family, plen, address, left, less))
        at += length
    return found


def netns():
    return os.stat("/proc/self/ns/net").st_ino


def descriptors(pid):
    """Of the helper, but for those of BPF objects: it makes some ahead when it finds the time."""
    kinds = collections.Counter()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            kind = os.readlink(f"/proc/{pid}/fd/{fd}").split(":")[0]
        except FileNotFoundError:
            continue
        if kind != "anon_inode" or "bpf" not in os.readlink(f"/proc/{pid}/fd/{fd}"):
            kinds[kind] += 1
    return kinds


# ---- sockets ----


def tcp(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(64)
    return s


def udp(port):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", port))
    return s


def serves(s, port):
    """Does what is sent to that port arrive at this socket?"""
    if s.type == socket.SOCK_STREAM:
        s.setblocking(False)
        if connects("127.0.0.1", port) != "ok":
            return False
        try:
            s.accept()[0].close()
            return True
        except BlockingIOError:
            return False
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.sendto(b"?", ("127.0.0.1", port))
        s.settimeout(0.05)
        try:
            return s.recv(10) == b"?"
        except (TimeoutError, ConnectionRefusedError):
            return False


# ---- scenarios: what is claimed, for which socket, in which namespace ----


def first_of_namespace():
    unshare(CLONE_NEWNET)
    loopback_up()


def nothing():
    pass


Scenario = collections.namedtuple("Scenario", "prepare make kind variables")
HOSTS = ",".join(f"127.0.{i}.0/24" for i in range(12))
SCENARIOS = {  # the variables are those for a port that is wanted
    "first": Scenario(first_of_namespace, tcp, 1, lambda p: [f"SKL_PORTS={p}"]),
    "first-udp": Scenario(first_of_namespace, udp, 2, lambda p: [f"SKL_PORTS={p}"]),
    "another": Scenario(nothing, tcp, 1, lambda p: [f"SKL_PORTS={p}"]),
    "udp": Scenario(nothing, udp, 2, lambda p: [f"SKL_PORTS={p}"]),
    "range": Scenario(nothing, tcp, 1, lambda p: [f"SKL_PORTS={p}-{p + 9}"]),
    "around": Scenario(nothing, tcp, 1, lambda p: [f"SKL_PORTS={p},{EXTRA - 20}-{EXTRA + 20}"]),
    "prefixes": Scenario(nothing, tcp, 1, lambda p: [f"SKL_PORTS={p}", f"SKL_CIDRS={HOSTS}"]),
    "many": Scenario(nothing, tcp, 1, lambda p: ["SKL_PORTS=" + ",".join(str(p + 2 * i) for i in range(20))]),
}


class Trial:
    """One scenario, with a call further on failing each time."""

    def __init__(self, control, helper, name, how, memory_only):
        self.control, self.helper, self.how, self.memory_only = control, helper, how, memory_only
        self.name, self.scenario = name, SCENARIOS[name]
        self.outcomes = collections.Counter()
        self.fails = []
        self.anchor = None

    def broken(self, n, call, what):
        self.fails.append(f"broken {self.name}: call {n} ({call}): {what}")
        tell(*self.fails[-1].split(" ", 1))

    def claim(self, sock, wanted):
        try:
            return ask(self.scenario.variables(wanted), sock, kind=self.scenario.kind)
        except BrokenPipeError:
            return "closed"
        except OSError as e:
            return errno.errorcode[e.errno]

    def once(self, n):
        """False when no call was left that could fail."""
        # other ports each time: what was claimed before may not be forgotten yet
        port, wanted = 4000 + n, 10000 + 50 * n
        self.scenario.prepare()
        with self.scenario.make(port) as sock:
            key = (netns(), {socket.SOCK_STREAM: 6, socket.SOCK_DGRAM: 17}[sock.type], port)
            anchor_key = (netns(), 6, ANCHOR)
            before = records()
            self.control.arm(self.how, n, self.memory_only)
            outcome = self.claim(sock, wanted)
            fired, call = self.control.disarm()
            after = records()
            there = key in after and key not in before
            self.outcomes["ok" if outcome == "ok" else "refused"] += 1
            if outcome != "ok" and outcome not in CLEAN:
                self.broken(n, call, f"answered {outcome}")
            if outcome == "ok" and not there:
                self.broken(n, call, "granted, and not in the status")
            if outcome not in ("ok", "closed") and there:
                self.broken(n, call, f"{outcome}, and in the status: {after[key]}")
            if serves(sock, wanted) != there:
                self.broken(n, call, f"{outcome}, and port {wanted} {'refuses' if there else 'serves'}")
            if before.get(anchor_key) != after.get(anchor_key):
                self.broken(n, call, f"{outcome}: another listener had {before.get(anchor_key)}, "
                                     f"now has {after.get(anchor_key)}")
            if self.anchor and not self.anchor_serves():
                self.broken(n, call, f"{outcome}: another listener's port {EXTRA} does not reach it any more")
            again = self.claim(sock, wanted)
            if again != "ok" or not serves(sock, wanted):
                self.broken(n, call, f"{outcome}, and the next claim: {again}")
        return fired > 0

    def anchor_serves(self):
        """Where all memory is gone, what could not be written is written when there is some: within a second."""
        until = time.monotonic() + (PATIENCE if self.how == ALL else 0)
        while not serves(self.anchor, EXTRA):
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        return True

    def run(self):
        home = os.open("/proc/self/ns/net", os.O_RDONLY)
        if self.scenario.prepare is nothing:
            self.anchor = tcp(ANCHOR)
            if ask([f"SKL_PORTS={EXTRA},{EXTRA + 100}-{EXTRA + 110}"], self.anchor) != "ok":
                raise RuntimeError("the anchor is refused")
        time.sleep(0.7)
        have = descriptors(self.helper)
        n = 1
        while self.once(n) and len(self.fails) < 10:
            n += 1
        if ctypes.CDLL(None).setns(home, CLONE_NEWNET) != 0:
            raise RuntimeError("setns")
        os.close(home)
        until = time.monotonic() + PATIENCE
        while descriptors(self.helper) - have and time.monotonic() < until:
            time.sleep(0.05)
        if descriptors(self.helper) - have:
            tell("broken", f"{self.name}: descriptors are left: {descriptors(self.helper) - have}")
        print(f"{self.name}: {n - 1} calls, {dict(self.outcomes)}", flush=True)
        if self.anchor:
            self.anchor.close()


def main(path, helper, name, memory_only):
    Trial(Control(path), helper, name, ALL if memory_only else ONE, memory_only).run()


main(sys.argv[1], int(sys.argv[2]), sys.argv[3], len(sys.argv) > 4 and sys.argv[4] == "memory")
