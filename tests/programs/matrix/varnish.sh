# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# The manager binds, its child listens. It tries the address with a listener that it closes again.
package varnish gcc
families 4
patience 40

start() {
  mkdir -p work
  serve varnishd -F -a "0.0.0.0:$PORT" -n "$T/work" -b none -j none
}

ask() {
  http "$1" "$2" | says "Varnish"
}
