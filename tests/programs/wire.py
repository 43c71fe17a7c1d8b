#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Speaks to the helper by hand: wire.py CASE [SKL_...=VALUE]...

Sends one request, good or bad as CASE says, and prints "ERRNO SENTENCE" for
the reply, "closed" where the helper hung up without one.
"""
import array
import errno
import os
import socket
import struct
import sys
import time

HELPER = os.environ.get("SKL_HELPER", "/run/skl/helper.sock")
MAGIC, VERSION = 0x5F6C6B73, 1
CLAIM_LISTEN, CLAIM_BIND, CLAIM_ATTACH, STATUS, EXPECT, TRACE = 1, 2, 3, 4, 5, 10
TEXT_MAX = 16384
IPPROTO_MPTCP = 262

keep = []  # what must stay open until the answer is there


def listener(family=socket.AF_INET, address="127.0.0.1", port=4000, protocol=0):
    s = socket.socket(family, socket.SOCK_STREAM, protocol)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    s.listen()
    keep.append(s)
    return s


def unix_listener():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind("\0skl-test")
    s.listen()
    keep.append(s)
    return s


def told():
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    keep.extend(pair)
    return pair[1]


def unconnected():
    s = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    s.bind(("127.0.0.1", 4000))
    keep.append(s)
    return s


def connection():
    server = listener()
    client = socket.create_connection(server.getsockname())
    accepted = server.accept()[0]
    keep.extend((client, accepted))
    return accepted


def datagram(bound=True, connected=False):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    if bound:
        s.bind(("127.0.0.1", 4000))
    if connected:
        s.connect(("127.0.0.1", 4009))
    keep.append(s)
    return s


def raw():
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_UDP)
    s.bind(("127.0.0.1", 4000))
    keep.append(s)
    return s


def plain_file():
    f = open("/etc/passwd")
    keep.append(f)
    return f


def message(kind=CLAIM_LISTEN, text=None, magic=MAGIC, version=VERSION, length=None, reserved=0, instance=0):
    if text is None:
        text = b"".join(v.encode() + b"\0" for v in sys.argv[2:] or ["SKL_PORTS=4001"])
    if length is None:
        length = 24 + len(text)
    return struct.pack("=IHHIIQ", magic, version, kind, length, reserved, instance) + text


def ask(data, fds=(), sends=1):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.settimeout(5)
    s.connect(HELPER)
    control = []
    if fds:
        control = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [f.fileno() for f in fds]))]
    try:
        for _ in range(sends):
            s.sendmsg([data], control)
        reply = s.recv(4096)
    except (BrokenPipeError, ConnectionResetError):
        reply = b""
    s.close()
    return reply


def tell(reply):
    if not reply:
        print("closed")
        return
    magic, version, reserved, length, error = struct.unpack_from("=IHHIi", reply)
    try:
        text = reply[16:].decode()
    except UnicodeDecodeError:
        text = "\0"
    if magic != MAGIC or length != len(reply) or version != VERSION or reserved != 0 or "\0" in text:
        sys.exit(f"wire.py: this reply breaks the contract: {reply!r}")
    name = {0: "0", errno.EOPNOTSUPP: "EOPNOTSUPP"}.get(error) or errno.errorcode[error]
    print(name, text)


def hang_up():
    """Ask, and be gone when the answer comes."""
    for _ in range(50):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.connect(HELPER)
        s.sendmsg([message(STATUS, b"")])
        s.close()
    return ask(message(STATUS, b""))


def idle():
    """Connect and say nothing, many times over; then somebody else asks."""
    for _ in range(200):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.setblocking(False)
        try:
            s.connect(HELPER)
        except BlockingIOError:
            break
        keep.append(s)
    started = time.monotonic()
    while True:
        try:
            return ask(message(STATUS, b""))
        except (BlockingIOError, TimeoutError):
            if time.monotonic() - started > 10:
                raise


CASES = {
    "good": lambda: ask(message(), [listener()]),
    "good6": lambda: ask(message(), [listener(socket.AF_INET6, "::1")]),
    "status": lambda: ask(message(STATUS, b"")),
    # the message itself
    "empty": lambda: ask(b""),
    "short": lambda: ask(message()[:10], [listener()]),
    "header-cut": lambda: ask(message()[:23], [listener()]),
    "says-longer": lambda: ask(message(length=100), [listener()]),
    "says-shorter": lambda: ask(message(length=30), [listener()]),
    "oversized": lambda: ask(message(text=b"SKL_PORTS=" + b"7," * (TEXT_MAX // 2) + b"7\0"), [listener()]),
    "huge": lambda: ask(message(text=b"SKL_PORTS=" + b"7," * 50000 + b"7\0"), [listener()]),
    "magic": lambda: ask(message(magic=0x31415926), [listener()]),
    "version": lambda: ask(message(version=2), [listener()]),
    "version-0": lambda: ask(message(version=0), [listener()]),
    "reserved": lambda: ask(message(kind=STATUS, reserved=1)),
    "kind": lambda: ask(message(kind=99), [listener()]),
    "kind-0": lambda: ask(message(kind=0), [listener()]),
    "noise": lambda: ask(bytes(range(256)) * 8, [listener()]),
    "no-nul": lambda: ask(message(text=b"SKL_PORTS=7"), [listener()]),
    "no-equals": lambda: ask(message(text=b"SKL_PORTS\0"), [listener()]),
    "not-text": lambda: ask(message(text=b"SKL_PORTS=\xff\x80\x1b[2J\0"), [listener()]),
    "twice": lambda: ask(message(), [listener()], sends=2),
    # what is attached to it
    "no-fd": lambda: ask(message()),
    "two-fds": lambda: ask(message(), [listener(), listener(port=4002)]),
    "many-fds": lambda: ask(message(), [listener()] * 200),
    "status-fd": lambda: ask(message(STATUS, b""), [listener()]),
    "file": lambda: ask(message(), [plain_file()]),
    "unix": lambda: ask(message(), [unix_listener()]),
    "unconnected": lambda: ask(message(), [unconnected()]),
    "connection": lambda: ask(message(), [connection()]),
    "mptcp": lambda: ask(message(), [listener(protocol=IPPROTO_MPTCP)]),
    "udp-as-tcp": lambda: ask(message(), [datagram()]),
    "udp": lambda: ask(message(CLAIM_BIND), [datagram()]),
    "udp-attach": lambda: ask(message(CLAIM_ATTACH), [datagram()]),
    "udp-unbound": lambda: ask(message(CLAIM_BIND), [datagram(bound=False)]),
    "udp-connected": lambda: ask(message(CLAIM_BIND), [datagram(connected=True)]),
    "raw": lambda: ask(message(CLAIM_BIND), [raw()]),
    "tcp-as-udp": lambda: ask(message(CLAIM_BIND), [listener()]),
    # who wants to be told of decisions
    "trace-no-fd": lambda: ask(message(TRACE, b"")),
    "trace-tcp": lambda: ask(message(TRACE, b""), [listener()]),
    "trace-file": lambda: ask(message(TRACE, b""), [plain_file()]),
    "trace-stream": lambda: ask(message(TRACE, b""), [unix_listener()]),
    "trace-port": lambda: ask(message(TRACE, b"PORT=70000\0"), [told()]),
    "trace-text": lambda: ask(message(TRACE, b"PORT=7"), [told()]),
    # the asker
    "hang-up": hang_up,
    "idle": idle,
}

tell(CASES[sys.argv[1]]())
