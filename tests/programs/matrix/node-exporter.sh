# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package prometheus-node-exporter
title "prometheus-node-exporter"
modes supervised attach
without preload "it is written in Go"

start() {
  serve prometheus-node-exporter --web.listen-address=":$PORT" --collector.disable-defaults
}

ask() {
  http "$1" "$2" /metrics | says "node_exporter_build_info"
}
