#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What a hostile user might try: attack.py CASE [ARG...], as root in the test's namespaces.

The attacker is uid 4001 in a process of its own, who suffers is uid 4002. Each case prints what came of it,
one "NAME VALUE" on a line; the tests judge. Answers are "ok" or the name of an errno.
"""
import array
import ctypes
import errno
import fcntl
import os
import random
import resource
import select
import shutil
import signal
import socket
import struct
import sys
import threading
import time

HELPER = "/run/skl/helper.sock"
MAGIC = 0x5F6C6B73
CLAIM_LISTEN, CLAIM_ATTACH, STATUS, EXPECT = 1, 3, 4, 5
TEXT_MAX = 16384
ATTACKER, OTHER = 4001, 4002
PATIENCE = 40  # seconds; what takes longer is an answer too
# no process of a case lives longer
END = int(os.environ.get("ATTACK_END", 55 * int(os.environ.get("TESTS_SLOW", "1"))))
CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
IPV6_V6ONLY = 26

libc = ctypes.CDLL(None, use_errno=True)


def tell(name, value):
    print(name, value, flush=True)


# ---- talking to the helper ----


def message(kind=CLAIM_LISTEN, variables=(), pid=0):
    text = b"".join(v.encode() + b"\0" for v in variables)
    return struct.pack("=IHHIiQ", MAGIC, 1, kind, 24 + len(text), pid, 0) + text


def connect():
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(HELPER)  # blocking, as the shim does it: with a timeout of Python's it would fail where it is to wait
    s.settimeout(PATIENCE)
    return s


def send(conn, data, attached=()):
    fds = array.array("i", [a.fileno() for a in attached])
    conn.sendmsg([data], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)] if attached else [])


def receive(conn):
    try:
        reply = conn.recv(4096)
    except TimeoutError:
        return "nothing"
    except ConnectionResetError:
        return "closed"
    if not reply:
        return "closed"
    code = struct.unpack_from("=IHHIi", reply)[4]
    if code and len(reply) == 16:
        return "speechless"
    return errno.errorcode[code] if code else "ok"


def ask(variables=(), sock=None, **how):
    with connect() as conn:
        send(conn, message(variables=variables, **how), [sock] if sock else [])
        return receive(conn)


def status():
    return ask(kind=STATUS)


# ---- sockets and processes ----


def listener(address="127.0.0.1", port=0, listens=True, reuseport=False, v6only=False):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT if reuseport else socket.SO_REUSEADDR, 1)
    if v6only:
        s.setsockopt(socket.IPPROTO_IPV6, IPV6_V6ONLY, 1)
    s.bind((address, port))
    if listens:
        s.listen(1024)
    return s


class Deaf:
    """A server that accepts connections and never reads."""

    def __init__(self):
        self.server = socket.socket()
        self.server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        self.server.bind(("127.0.0.1", 0))
        self.server.listen()
        self.accepted = []

    def lingering(self):
        """A connection to it whose last close() takes 30 seconds."""
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        s.connect(self.server.getsockname())
        self.accepted.append(self.server.accept()[0])
        s.setblocking(False)
        try:
            while True:
                s.send(b"x" * 65536)
        except BlockingIOError:
            pass
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 30))
        return s


def connects(address, port):
    try:
        with socket.create_connection((address, port), 2):
            return "ok"
    except OSError as e:
        return errno.errorcode.get(e.errno, "nothing")


def become(uid):
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def many_descriptors():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))


def user(uid, what, *args):
    """A child process of that user that does this. Returns its pid."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(END)
        try:
            become(uid)
            what(*args)
            os._exit(0)
        except BaseException as e:  # pylint: disable=broad-except
            tell("broken", repr(e))
            os._exit(1)
    return pid


def wait_for(pid):
    if os.waitpid(pid, 0)[1] != 0:
        tell("broken", "a process of the test failed")


def loopback_up():
    """The loopback device of a new network namespace."""
    with socket.socket() as s:
        fcntl.ioctl(s, 0x8914, struct.pack("16sH14x", b"lo", 0x1 | 0x40))  # SIOCSIFFLAGS, IFF_UP | IFF_RUNNING


def unshare(flags):
    if libc.unshare(flags) != 0:
        raise OSError(ctypes.get_errno(), "unshare")


def netns_number():
    return os.stat("/proc/self/ns/net").st_ino


# ---- how long others wait ----


def others_wait(attack, after=1.5):
    """The attacker attacks and ends; meanwhile, and for `after` seconds, somebody else claims. How long does it take?"""
    pid = user(ATTACKER, attack)
    become(OTHER)
    took, ended, answer = [], None, "ok"
    while answer == "ok" and (ended is None or time.monotonic() - ended < after):
        with listener("127.0.0.2") as s:
            started = time.monotonic()
            answer = ask(["SKL_PORTS=65000"], s)
            took.append(time.monotonic() - started)
            if answer == "ok":
                answer = connects("127.0.0.2", 65000)
        time.sleep(0.02)
        if ended is None and os.waitpid(pid, os.WNOHANG)[0]:
            ended = time.monotonic()
    if answer != "ok":
        tell("broken", f"a claim of somebody else: {answer}")
    tell("claims", len(took))
    tell("median", round(1000 * sorted(took)[len(took) // 2], 1))
    tell("longest", round(1000 * max(took)))


def nothing():
    """What the same takes in peace."""
    time.sleep(2)


def flood(tool, count, processes):
    """Many malformed requests, as fast as the helper answers."""

    def attack():
        many_descriptors()
        pids = []
        for n in range(processes):
            pids.append(os.fork())
            if pids[-1] == 0:
                os.execv(tool, [tool, str(count // processes), str(n)])
        if any(os.waitpid(pid, 0)[1] for pid in pids):
            tell("broken", "the flood has dried up")

    return attack


def duplicates():
    s = listener("::1", 4001, v6only=True)
    ports = "SKL_PORTS=" + ",".join(str(p) for p in range(2000, 4000))
    cidrs = "SKL_CIDRS=" + ",".join(["::"] * ((TEXT_MAX - len(ports) - 14) // 3))
    tell("claim", ask([ports, cidrs], s))


def overlapping(n):
    def attack():
        s = listener("127.0.0.1", 4000)
        tell("claim", ask(["SKL_PORTS=" + ",".join(f"{2000 + i}-{40000 + i}" for i in range(n))], s))

    return attack


def tries():
    """A port with more than eight prefixes has them in the trie."""
    s = listener("0.0.0.0", 4000)
    ports = "SKL_PORTS=" + ",".join(str(5000 + i) for i in range(400))
    tell("claim", ask([ports, "SKL_CIDRS=" + ",".join(f"127.{i}.0.0/16" for i in range(1, 10))], s))


def misses():
    """Thousands of bindings, of which many have something counted."""
    have = [listener(f"127.0.{i}.1", 4000) for i in range(3)]
    for s in have:
        for first, n in ((10000, 2300), (12300, 1700)):
            tell("claim", ask(["SKL_PORTS=" + ",".join(str(p) for p in range(first, first + n))], s))
    have[0].shutdown(socket.SHUT_RDWR)
    missed = [connects("127.0.0.1", p) for p in range(10000, 11000)]
    tell("missed", missed.count("ECONNREFUSED"))


def linger(*places):
    """The helper gets the last reference to sockets that it takes long to close."""

    def attack():
        deaf = Deaf()
        for n, place in enumerate(places):
            last, conn = deaf.lingering(), connect()
            busy = keep_busy(n)  # so that it is ours no more when the helper gets to it
            LINGER[place](conn, last)
            last.close()
            tell(place, receive(conn))
            del busy, conn
        time.sleep(3.5)  # with its end the waiting would end

    return attack


def crowd():
    """The same with many, each on its way to a socket that the helper gets."""
    many_descriptors()
    deaf, keep = Deaf(), []
    for batch in range(12):
        ready = []
        for _ in range(50):
            outer, inner = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with deaf.lingering() as last:
                send(inner, b"x", [last])
            inner.close()
            ready.append((connect(), outer))
        keep.append(keep_busy(batch))
        for conn, outer in ready:
            send(conn, message(variables=["SKL_PORTS=4401"]), [outer])
            outer.close()
        answers = [receive(conn) for conn, _ in ready]
        keep.clear()
        if set(answers) != {"EAFNOSUPPORT"}:
            break
    tell("answered", 50 * batch + answers.count("EAFNOSUPPORT"))
    time.sleep(3.5)


def keep_busy(n):
    """Gives the helper work for some hundredths of a second. Returns what must stay open for that."""
    have = []
    for i in range(2):
        s, conn = listener(f"127.{n + 1}.{i}.1", 4000), connect()
        send(conn, message(variables=["SKL_PORTS=" + ",".join(str(p) for p in range(10000, 11000))]), [s])
        have += [s, conn]
    return have


def only_one(conn, last):
    send(conn, message(variables=["SKL_PORTS=4401"]), [last])


def second_of_two(conn, last):
    send(conn, message(variables=["SKL_PORTS=4401"]), [listener(), last])


def without_text(conn, last):
    send(conn, b"", [last])


def in_second_message(conn, last):
    """That nobody reads: the kernel drops it when the helper closes the connection."""
    send(conn, message(kind=STATUS))
    send(conn, message(kind=STATUS), [last])


def in_queue_of_listener(conn, last):
    """On its way to an AF_UNIX listener that the helper gets the last reference to."""
    outer = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    outer.bind("")  # a name of the kernel's choice
    outer.listen()
    inner = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    inner.connect(outer.getsockname())
    send(inner, b"x", [last])
    send(conn, message(variables=["SKL_PORTS=4401"]), [outer])
    outer.close()


LINGER = {
    "only": only_one,
    "second": second_of_two,
    "textless": without_text,
    "unread": in_second_message,
    "queued": in_queue_of_listener,
}


def silent(n):
    """Connects and says nothing. Returns the connections."""
    many_descriptors()
    conns = []
    for _ in range(n):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        s.setblocking(False)
        try:
            s.connect(HELPER)
        except BlockingIOError:
            time.sleep(0.001)  # the helper's queue is full: it has not the time to accept
        conns.append(s)
    return conns


def silence():
    conns = silent(700)
    time.sleep(3.5)
    tell("silent", len(conns))


def no_descriptors():
    """Keeps the helper, whose limit the test has lowered, without a descriptor for two seconds."""

    def attack():
        until = time.monotonic() + 2
        while time.monotonic() < until:
            conns = silent(100)
            time.sleep(0.2)
            del conns

    wait_for(user(ATTACKER, attack))


def expects():
    """Each process that is expected keeps a place, and one user must not have them all."""
    here, there = socket.socketpair()

    def expected_child():
        r, w = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.write(w, ask(kind=EXPECT).encode())
            time.sleep(PATIENCE)
            os._exit(0)
        os.close(w)
        with open(r, "rb") as answer:
            return pid, answer.read(2)

    def attack():
        for _ in range(257):
            ask(kind=EXPECT)
        children = [expected_child() for _ in range(300)]
        tell("places", sum(answer == b"ok" for _, answer in children))
        there.send(b"x")
        there.recv(1)
        for pid, _ in children:
            os.kill(pid, signal.SIGKILL)

    pid = user(ATTACKER, attack)
    here.recv(1)
    wait_for(user(OTHER, lambda: tell("other", ask(kind=EXPECT))))
    here.send(b"x")
    wait_for(pid)


def expects_of_many():
    """The same by as many users as there are, as who has subordinate ones can be: root has a place."""
    ready, go = os.pipe(), os.pipe()

    def attack():
        for _ in range(64):
            if os.fork() == 0:
                os.close(go[1])
                os.write(ready[1], ask(kind=EXPECT).encode()[:1])
                os.read(go[0], 1)
                os._exit(0)
        os.close(go[1])
        os.read(go[0], 1)

    pids = [user(ATTACKER + i, attack) for i in range(5)]
    answers = b"".join(os.read(ready[0], 1) for _ in range(5 * 64))
    tell("places", answers.count(b"o"))
    tell("root", ask(kind=EXPECT))
    os.close(go[1])
    for pid in pids:
        wait_for(pid)


# ---- what others have ----


def shut_down():
    """The program ends its listener while the helper decides about it."""

    def attack():
        s = listener("::", 4100)
        ports = "SKL_PORTS=5000-5001," + ",".join(str(p) for p in range(2000, 2800))
        end = threading.Timer(0.4, s.shutdown, [socket.SHUT_RDWR])
        end.start()
        ask([ports, "SKL_CIDRS=" + ",".join(["::"] * 1500)], s)
        end.join()
        rng = random.Random(1)
        few = "SKL_PORTS=5000-5001,6000-6100," + ",".join(str(p) for p in range(2000, 2100))
        for i in range(60):
            s = listener("::", 4200 + i)
            end = threading.Timer(rng.random() * 0.03, s.shutdown, [socket.SHUT_RDWR])
            end.start()
            ask([few, "SKL_CIDRS=" + ",".join(["::"] * 35)], s)
            end.join()
            s.close()

    wait_for(user(ATTACKER, attack))
    tell("status", status())


def false_record():
    """A socket whose port the kernel chose can get another; what is known of it is then no longer true."""
    read, write = os.pipe()

    def attack():
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        s.listen(16)
        port = s.getsockname()[1]
        tell("first", ask(["SKL_PORTS=1999"], s))
        s.shutdown(socket.SHUT_RDWR)
        s.bind(("0.0.0.0", 6666))
        s.listen(16)
        os.write(write, b"%d\n" % port)
        tell("stolen", len(accepted(s, 2)))

    def other():
        s = listener("0.0.0.0", int(os.read(read, 10)), reuseport=True)
        tell("second", ask(["SKL_PORTS=7080"], s))
        for _ in range(10):
            connects("127.0.0.1", 7080)
        tell("own", len(accepted(s, 0.5)))

    pids = user(ATTACKER, attack), user(OTHER, other)
    for pid in pids:
        wait_for(pid)


def accepted(s, seconds):
    """All connections that come until none has come for so long."""
    conns = []
    while select.select([s], [], [], seconds)[0]:
        conns.append(s.accept()[0])
    return conns


def bound_only():
    """Somebody has bound a port, and does not listen yet."""
    read, write = os.pipe()
    go, went = os.pipe()

    def other():
        s = listener("0.0.0.0", 8080, listens=False)
        os.write(write, b"x")
        os.read(go, 1)
        s.listen()
        tell("reached", connects("127.0.0.1", 8080))
        tell("own", len(accepted(s, 0.3)))

    def attack():
        os.read(read, 1)
        s = listener("127.0.0.1", 9000)
        tell("exact", ask(["SKL_BIND=127.0.0.1/32:8080"], s))
        tell("everywhere", ask(["SKL_BIND=0.0.0.0/0:8080"], s))
        tell("range", ask(["SKL_BIND=0.0.0.0/0:8079-8081"], s))
        os.write(went, b"x")
        tell("stolen", len(accepted(s, 1)))

    pids = user(OTHER, other), user(ATTACKER, attack)
    for pid in pids:
        wait_for(pid)


def leak():
    """
    Fills the nodes, so that nothing can be written any more; lets the test's server end; and takes the place
    in the SOCKMAP that it had, by claims that are refused: each uses up one.
    """

    def spaced(first, n):
        return ",".join(str(p) for p in range(first, first + 2 * n, 2))

    def attack():
        many_descriptors()
        s = listener("127.0.0.1", 4000)
        hosts = " ".join(f"127.0.0.{i}/32:10000-15000" for i in range(2, 8))
        tell("ranges", ask([f"SKL_BIND={hosts} 127.0.0.0/8:10000-15000"], s))
        for first in range(10000, 15000, 400):  # seven nodes for each port: no end is like another
            if ask(["SKL_BIND=127.0.0.0/8:" + spaced(first, 200)], s) != "ok":
                break
        step, first = 256, 20000
        while step:  # and one for each of these, to the last
            if ask(["SKL_BIND=127.0.0.1/32:" + spaced(first, step)], s) != "ok":
                step //= 2
            first += 512
        tell("full", "")
        while connects("127.0.0.1", 80) == "ok":
            time.sleep(0.05)
        time.sleep(1.5)  # until the helper has forgotten the server
        again = listener("127.0.0.9", 5000)
        for _ in range(8191 - 30):
            if ask(["SKL_PORTS=1"], again) != "EACCES":
                raise ValueError("port 1 is not refused")
        have = [s, again]
        for i in range(60):
            have.append(listener(f"127.0.1.{i + 1}", 5000))
            if ask(["SKL_PORTS=5000"], have[-1]) != "ok":
                raise ValueError("the port that it has is refused")
        tell("placed", len(have))
        while True:
            for ready in select.select(have, [], [])[0]:
                tell("stolen", ready.accept()[0].getsockname()[1])

    wait_for(user(ATTACKER, attack))


def setuid_in_container():
    """Root of a user namespace is uid 100000, the attacker uid 1000 in there; a setuid file of that root."""
    path = "/run/test-setuid-sleep"
    shutil.copy(shutil.which("sleep"), path)
    os.chown(path, 100000, 100000)
    os.chmod(path, 0o4755)
    made, go = os.pipe(), os.pipe()
    pid = os.fork()
    if pid:
        os.read(made[0], 1)
        for name in "uid_map", "gid_map":
            with open(f"/proc/{pid}/{name}", "w", encoding="ascii") as f:
                f.write("0 100000 65536\n")
        os.write(go[1], b"x")
        wait_for(pid)
        return
    os.setgroups([])
    os.setresgid(100000, 100000, 100000)
    os.setresuid(100000, 100000, 100000)
    unshare(CLONE_NEWUSER | CLONE_NEWNET)
    os.write(made[1], b"x")
    os.read(go[0], 1)
    become(0)
    loopback_up()
    with listener("0.0.0.0", 3999) as own:
        tell("root", ask(["SKL_PORTS=79"], own))
    become(1000)
    s = listener("0.0.0.0", 4000)
    tell("plain", ask(["SKL_PORTS=80"], s))
    conn = connect()
    parent = os.getpid()
    if os.fork():
        os.execv(path, ["sleep", "1"])
    until = time.monotonic() + 0.8
    while os.stat(f"/proc/{parent}").st_uid == 1000 and time.monotonic() < until:
        time.sleep(0.01)
    tell("raised", "yes" if os.stat(f"/proc/{parent}").st_uid != 1000 else "no")
    send(conn, message(variables=["SKL_PORTS=80"]), [s])
    tell("exec", receive(conn))
    tell("port", connects("127.0.0.1", 80))
    os._exit(0)


def reused_number():
    """A network namespace goes, and another one gets its inode number, before the helper has looked."""
    wanted = in_new_netns(None)
    until = time.monotonic() + 4  # an empty one is forgotten after 5 seconds
    while time.monotonic() < until:
        time.sleep(0.05)
        if in_new_netns(wanted) == wanted:
            return
    tell("reused", "never")


def in_new_netns(wanted):
    """Claims in a new network namespace, if its number is the one that is wanted, or any. Returns the number."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        unshare(CLONE_NEWNET)
        number = netns_number()
        os.write(write, struct.pack("=Q", number))
        if wanted in (None, number):
            loopback_up()
            which = "first" if wanted is None else "reused"
            s = listener("0.0.0.0", 4000)
            tell(which, f"{ask(['SKL_PORTS=80'], s)} {connects('127.0.0.1', 80)}")
        os._exit(0)
    wait_for(pid)
    number = struct.unpack("=Q", os.read(read, 8))[0]
    os.close(read)
    os.close(write)
    return number


def foreign_pid(pid):
    """Says that a socket was taken from a process of somebody else, then from one of its own."""

    def attack():
        first, second = listener("127.0.0.1", 4000), listener("127.0.0.1", 4001)
        child = os.fork()
        if child == 0:
            time.sleep(PATIENCE)
            os._exit(0)
        tell("foreign", ask(["SKL_PORTS=7000"], first, kind=CLAIM_ATTACH, pid=int(pid)))
        tell("own", ask(["SKL_PORTS=7001"], second, kind=CLAIM_ATTACH, pid=child))
        tell("child", child)
        time.sleep(PATIENCE)

    wait_for(user(ATTACKER, attack))


def absent_pid():
    """Says that a socket was taken from a process that is not there, or cannot be."""

    def attack():
        for number, pid in enumerate((0x7FFFFFFF, -1, os.getpid() + 100000)):
            with listener("127.0.0.1", 4000 + number) as s:
                tell(f"absent-{number}", ask([f"SKL_PORTS={7000 + number}"], s, kind=CLAIM_ATTACH, pid=pid))
        tell("other-kind", ask(kind=STATUS, pid=os.getpid()))

    wait_for(user(ATTACKER, attack))


def orphan_claims(name, port):
    """A process connects and ends; then a child of it, which has the connection, claims."""
    gone, done = os.pipe(), os.pipe()
    pid = os.fork()
    if pid == 0:
        conn, s = connect(), listener("127.0.0.1", 4000)
        if os.fork():
            os._exit(0)
        os.close(gone[1])
        os.read(gone[0], 1)
        send(conn, message(variables=[f"SKL_PORTS={port}"]), [s])
        tell(name, receive(conn))
        os._exit(0)
    os.close(done[1])
    os.waitpid(pid, 0)
    os.close(gone[1])
    os.read(done[0], 1)


def gone_peer():
    """To be started with CAP_NET_BIND_SERVICE: a process that is gone has it no more."""
    with listener("127.0.0.1", 3999) as s:
        tell("alive", ask(["SKL_PORTS=80"], s))
    orphan_claims("low", 81)
    orphan_claims("high", 8081)


def reused_pid():
    """The number of the process that connected goes to another one of the same user, which has a capability."""

    def take(pid):
        for _ in range(200):
            with open("/proc/sys/kernel/ns_last_pid", "w", encoding="ascii") as f:
                f.write(str(pid - 1))
            other = os.fork()
            if other == 0:
                if os.getpid() == pid:
                    os.execvp("setpriv", ["setpriv", f"--reuid={ATTACKER}", f"--regid={ATTACKER}", "--clear-groups",
                                          "--inh-caps=-all,+net_bind_service", "--ambient-caps=-all,+net_bind_service",
                                          "sleep", str(PATIENCE)])
                os._exit(0)
            if other == pid:
                until = time.monotonic() + PATIENCE
                while os.stat(f"/proc/{pid}").st_uid != ATTACKER and time.monotonic() < until:
                    time.sleep(0.01)
                tell("reused", "yes")
                return
            os.waitpid(other, 0)
        tell("reused", "never")

    def attack(conn_ready, go):
        conn, s = connect(), listener("127.0.0.1", 4000)
        if os.fork():
            os._exit(0)
        os.write(conn_ready, b"x")
        os.read(go, 1)
        send(conn, message(variables=["SKL_PORTS=80"]), [s])
        tell("low", receive(conn))
        os._exit(0)

    ready, go = os.pipe(), os.pipe()
    pid = user(ATTACKER, attack, ready[1], go[0])
    os.read(ready[0], 1)
    wait_for(pid)
    take(pid)
    os.write(go[1], b"x")
    os.close(ready[1])
    os.read(ready[0], 1)


CASES = {
    "absent-pid": absent_pid,
    "bound-only": bound_only,
    "crowd": lambda: others_wait(crowd),
    "duplicates": lambda: others_wait(duplicates),
    "expects": expects,
    "expects-of-many": expects_of_many,
    "false-record": false_record,
    "foreign-pid": foreign_pid,
    "flood": lambda tool, count: others_wait(flood(tool, int(count), 2)),
    "gone-peer": gone_peer,
    "leak": leak,
    "linger": lambda *places: others_wait(linger(*places)),
    "misses": lambda: others_wait(misses),
    "no-descriptors": no_descriptors,
    "nothing": lambda: others_wait(nothing),
    "overlapping": lambda n: others_wait(overlapping(int(n))),
    "reused-number": reused_number,
    "reused-pid": reused_pid,
    "setuid-in-container": setuid_in_container,
    "shut-down": shut_down,
    "silence": lambda: others_wait(silence),
    "status": lambda: tell("status", status()),
    "tries": lambda: others_wait(tries),
}

if __name__ == "__main__":
    signal.alarm(END)
    CASES[sys.argv[1]](*sys.argv[2:])
