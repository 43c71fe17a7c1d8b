# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package caddy
modes supervised attach
without preload "it is written in Go"

start() {
  printf '{\n admin off\n auto_https off\n}\n:%s {\n respond "from caddy"\n}\n' "$PORT" >Caddyfile
  XDG_DATA_HOME=$T XDG_CONFIG_HOME=$T serve caddy run --adapter caddyfile --config "$T/Caddyfile"
}

ask() {
  http "$1" "$2" | says "Server: Caddy" "from caddy"
}
