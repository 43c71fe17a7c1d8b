# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package golang-go
title "Go UDP, CGO_ENABLED=0"
modes supervised
without preload "it calls the kernel itself"
protocols udp

prepare() {
  cat >server.go <<CODE
package main

import "net"

func main() {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{Port: $PORT})
	if err != nil {
		panic(err)
	}
	buffer := make([]byte, 65535)
	for {
		n, from, err := socket.ReadFromUDP(buffer)
		if err == nil {
			socket.WriteToUDP(buffer[:n], from)
		}
	}
}
CODE
  GOCACHE=/var/cache/skl-go GO111MODULE=off CGO_ENABLED=0 go build -o server server.go
}

start() {
  serve "$T/server"
}

ask() {
  "$BUILD/tests/udp-ask" "$1" "$2"
}
