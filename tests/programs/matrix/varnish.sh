# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# The manager binds, its child listens. Before that it has listeners on ports of the kernel's choice: one to try the
# address, one for its command line.
package varnish gcc
families 4
options --for 8080
patience 40

start() {
  mkdir -p work
  serve varnishd -F -a "0.0.0.0:$PORT" -n "$T/work" -b none -j none
}

ask() {
  http "$1" "$2" | says "Varnish"
}
