#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Echoes lines over TCP and datagrams over UDP, on one port of 127.0.0.1: both.py PORT"""
import socket
import sys
import threading

here = ("127.0.0.1", int(sys.argv[1]))
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(here)
tcp = socket.create_server(here)


def echo_datagrams():
    while True:
        data, client = udp.recvfrom(65535)
        udp.sendto(data, client)


threading.Thread(target=echo_datagrams, daemon=True).start()
while True:
    connection = tcp.accept()[0]
    connection.sendall(connection.recv(4096))
    connection.close()
