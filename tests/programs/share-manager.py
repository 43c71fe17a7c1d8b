#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""
share-manager.py SOCKET [COMMAND...]: what a service manager does for a service, as far as shares need it.

Prints what it is told over SOCKET (NOTIFY_SOCKET), keeps descriptors (FDSTORE=1) and closes them
(FDSTOREREMOVE=1), and starts COMMAND, if there is one, anew each time it ends, with the descriptors that it keeps.
"""
import array
import os
import socket
import sys
import threading

path, command = sys.argv[1], sys.argv[2:]
stored = {}  # name: descriptor
told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
told.bind(path)


def take():
    text, control, *_ = told.recvmsg(4096, socket.CMSG_SPACE(16))
    fds = array.array("i")
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            fds.frombytes(data)
    values = dict(line.split("=", 1) for line in text.decode().splitlines())
    print("\n".join(f"{name}={value}" for name, value in values.items()), flush=True)
    if "FDSTORE" in values:
        stored[values["FDNAME"]] = fds.pop()
    elif "FDSTOREREMOVE" in values:
        os.close(stored.pop(values["FDNAME"]))
    for fd in fds:
        os.close(fd)


def listen():
    while True:
        take()


def start():
    names = list(stored)
    keep = [os.dup(stored[name]) for name in names]
    pid = os.fork()
    if pid == 0:
        low = [os.dup(fd) for fd in keep]  # none of them is where another is to be
        for i, fd in enumerate(low):
            os.dup2(fd, 200 + i)
        for i in range(len(low)):
            os.dup2(200 + i, 3 + i)
        os.closerange(3 + len(low), 1024)
        os.environ.update(NOTIFY_SOCKET=path, LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(low)),
                          LISTEN_FDNAMES=":".join(names))
        os.execvp(command[0], command)
    for fd in keep:
        os.close(fd)
    print(f"started {pid} with {len(names)}", flush=True)
    return pid


threading.Thread(target=listen, daemon=command != []).start()
while command:
    os.waitpid(start(), 0)
