#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Fifty programs of five users that claim, serve and die at random: stress.py SECONDS PINS [SEED], as root.

Then they stay as they are, and what the helper says (`skl status -j`), what its maps hold (below PINS), what /proc
shows (ss) and who answers on each port must agree. Prints what was done; what is wrong as "broken ...".
"""
import collections
import ipaddress
import json
import mmap
import os
import random
import select
import signal
import socket
import subprocess
import sys
import time

from attack import ask, become, tell

PROGRAMS = 50
USERS = [0, 4001, 4002, 4003, 4004]
OWN = range(20000, 20200)  # what the programs bind
EXTRA = range(1100, 1300)  # what they claim
ADDRESSES = ["127.0.0.1", "127.0.0.2", "0.0.0.0", "::1", "::"]
ASKED = ["127.0.0.1", "127.0.0.2", "127.9.9.9", "::1"]  # where clients ask afterwards
REFUSALS = {"EADDRINUSE", "EAFNOSUPPORT", "EACCES"}
FATES = ["exit", "kill", "close", "shutdown", "again"]
STREAM, DATAGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
SKL = os.environ["SKL"]


# ---- a program ----


def some_socket(rng):
    kind = rng.choice([STREAM, STREAM, DATAGRAM])
    address = rng.choice(ADDRESSES)
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    if kind == STREAM:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if ":" in address and rng.random() < 0.5:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, rng.choice(OWN)))
    if kind == STREAM:
        s.listen(64)
    return s


def some_variables(rng):
    ports = []
    for _ in range(rng.randint(1, 3)):
        first = rng.choice(EXTRA)
        ports.append(rng.choice([f"{first}", f"{first}", f"{first}-{first + rng.randint(1, 20)}"]))
    yield "SKL_PORTS=" + ",".join(ports)
    if rng.random() < 0.3:
        yield "SKL_CIDRS=" + rng.choice(["127.0.0.0/8", "127.9.0.0/16,127.0.0.2", "::1,127.0.0.0/8"])


def answer(s):
    """Tells whoever asks which process this is."""
    name = str(os.getpid()).encode()
    if s.type == STREAM:
        conn = s.accept()[0]
        conn.send(name)
        conn.close()
    else:
        s.sendto(name, s.recvfrom(100)[1])


def program(seed, uid, frozen, report):
    """Claims, serves, and meets its fate; once all are frozen, says what it has and serves until it is killed."""
    rng = random.Random(seed)
    become(uid)
    try:
        s = some_socket(rng)
    except OSError:
        return
    variables = list(some_variables(rng))
    outcome = ask(variables, s)
    if outcome != "ok" and outcome not in REFUSALS:
        tell("broken", f"claim of {variables} by {uid}: {outcome}")
    until, serves, told = time.monotonic() + rng.expovariate(1), outcome == "ok", False
    while True:
        if frozen[0] and not told:
            told = True
            address, port = s.getsockname()[:2] if serves else ("", 0)
            os.write(report, json.dumps({
                "pid": os.getpid(), "granted": serves, "protocol": "tcp" if s.type == STREAM else "udp",
                "address": address, "port": port, "uid": uid,
            }).encode() + b"\n")
        if not frozen[0] and time.monotonic() > until:
            fate = rng.choice(FATES) if serves else "exit"
            if fate == "exit":
                return
            if fate == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if fate == "again":
                if ask(variables, s) not in REFUSALS | {"ok"}:
                    tell("broken", "the same claim again")
            elif fate == "shutdown" and s.type == STREAM:
                s.shutdown(socket.SHUT_RDWR)
                serves = False
            else:
                s.close()
                serves = False
            until = time.monotonic() + rng.expovariate(1)
        if serves and select.select([s], [], [], 0.02)[0]:
            try:
                answer(s)
            except OSError:
                pass
        elif not serves:
            time.sleep(0.02)


# ---- what each of them says ----


def status():
    out = subprocess.run([SKL, "status", "-j"], check=True, capture_output=True).stdout
    return json.loads(out)["listeners"]


def in_proc():
    """(protocol, pid, port) of every socket that listens, or is bound."""
    found = set()
    out = subprocess.run(["ss", "-Htulnp"], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        fields = line.split()
        if "pid=" in line:
            found.add((fields[0], int(line.split("pid=")[1].split(",")[0]), int(fields[4].rsplit(":", 1)[1])))
    return found


def in_map(pins, name):
    """How many elements it has."""
    out = subprocess.run(["bpftool", "-j", "map", "dump", "pinned", f"{pins}/{name}"], check=True,
                         capture_output=True).stdout
    return sum("error" not in e.get("value", {}) for e in json.loads(out) if "key" in e)


def less(text):
    """The ports in "22,53,100-102"."""
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def who_should(listeners, protocol, address, port):
    """The pid that the bindings give this packet to, or None: the longest prefix, then the narrowest range."""
    best = None
    for listener in listeners:
        if listener["protocol"] != protocol:
            continue
        for b in listener["bindings"]:
            network = ipaddress.ip_network(b["prefix"])
            if ipaddress.ip_address(address) not in network or not b["first"] <= port <= b["last"]:
                continue
            if port in less(b["less"]):
                continue
            rank = (-network.prefixlen, b["last"] - b["first"], b["id"])
            if best is None or rank < best[0]:
                best = rank, listener["pid"]
    return best and best[1]


def who_answers(protocol, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, STREAM if protocol == "tcp" else DATAGRAM) as s:
        s.settimeout(5)
        try:
            s.connect((address, port))
            if protocol == "udp":
                s.send(b"who?")
            return int(s.recv(100))
        except ConnectionRefusedError:
            return None


def agree(reports, pins):
    listeners = status()
    claimed = {(r["protocol"], r["pid"], r["port"]) for r in reports if r["granted"]}
    known = {(l["protocol"], l["pid"], l["port"]) for l in listeners}
    if claimed != known:
        tell("broken", f"programs have {sorted(claimed - known)} more, the status {sorted(known - claimed)}")
    if known - in_proc():
        tell("broken", f"not in /proc: {sorted(known - in_proc())}")
    for name, count in (("sockets", len(listeners)), ("members", len(listeners)),
                        ("bindings", sum(len(l["bindings"]) for l in listeners))):
        if in_map(pins, name) != count:
            tell("broken", f"the map {name} has {in_map(pins, name)} elements, the status {count}")
    if any(l["state"] != "live" or l["members"] != 1 for l in listeners):
        tell("broken", "a listener that is not alive")
    wrong, asked, answered = 0, 0, 0
    for protocol in "tcp", "udp":
        for address in ASKED:
            for port in EXTRA:
                should, does = who_should(listeners, protocol, address, port), who_answers(protocol, address, port)
                asked += 1
                answered += does is not None
                if should != does and wrong < 10:
                    wrong += 1
                    tell("broken", f"{protocol} {address} port {port}: {does} answers, and not {should}")
    tell("agreed", f"{len(listeners)} listeners, {asked} ports asked, {answered} answered")
    if not listeners or not answered:
        tell("broken", "nothing was tested")


# ---- all together ----


def main(seconds, pins, seed):
    rng = random.Random(seed)
    frozen = mmap.mmap(-1, 4096)
    read, write = os.pipe()
    running, started, ends = set(), 0, collections.Counter()
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        while len(running) < PROGRAMS:
            one, uid = rng.random(), rng.choice(USERS)
            pid = os.fork()
            if pid == 0:
                program(one, uid, frozen, write)
                os._exit(0)
            running.add(pid)
            started += 1
        time.sleep(0.01)
        while True:
            pid, how = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            running.discard(pid)
            ends["killed" if os.WIFSIGNALED(how) else "exited" if how == 0 else "failed"] += 1
    frozen[0] = 1
    tell("programs", f"{started} started, {dict(ends)}")
    if ends["failed"]:
        tell("broken", "a program has failed")
    reports, data = [], b""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if select.select([read], [], [], 0.1)[0]:
            data += os.read(read, 65536)
        while (end := os.waitpid(-1, os.WNOHANG)[0]) > 0:
            running.discard(end)
        reports = [json.loads(line) for line in data.decode().splitlines()] if data.endswith(b"\n") else []
        if len(reports) == len(running):
            break
    if len(reports) != len(running):
        tell("broken", f"{len(running)} programs run, {len(reports)} have said what they have")
    time.sleep(2.5)  # what ended is forgotten within a second, and a port that is free again is taken in one more
    agree(reports, pins)
    for pid in running:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


main(float(sys.argv[1]), sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else time.time_ns())
