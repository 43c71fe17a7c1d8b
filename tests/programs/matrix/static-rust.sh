# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package rustc gcc
title "static, Rust"
modes supervised attach
without preload "it is statically linked"

prepare() {
  cat >server.rs <<CODE
use std::io::Write;
fn main() {
    for stream in std::net::TcpListener::bind("[::]:$PORT").unwrap().incoming() {
        let mut stream = stream.unwrap();
        let _ = writeln!(stream, "Rust reached port {}", stream.local_addr().unwrap().port());
    }
}
CODE
  rustc -C target-feature=+crt-static -o server server.rs
}

start() {
  serve "$T/server"
}

ask() {
  talk "$1" "$2" 1 | says "Rust reached port $2"
}
