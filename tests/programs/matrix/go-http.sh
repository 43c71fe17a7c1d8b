# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package golang-go
title "Go net/http, CGO_ENABLED=0"
modes supervised attach
without preload "it calls the kernel itself"

prepare() {
  cat >server.go <<CODE
package main

import (
	"fmt"
	"net/http"
)

func main() {
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "Go reached %s", r.Context().Value(http.LocalAddrContextKey))
	})
	panic(http.ListenAndServe(":$PORT", nil))
}
CODE
  GOCACHE=/var/cache/skl-go GO111MODULE=off CGO_ENABLED=0 go build -o server server.go
}

start() {
  serve "$T/server"
}

ask() {
  http "$1" "$2" | says "Go reached $(host "$1"):$2"
}
