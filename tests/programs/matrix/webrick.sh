# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package ruby-webrick ruby
title "ruby webrick"

start() {
  serve ruby -rwebrick -e "WEBrick::HTTPServer.new(BindAddress: nil, Port: $PORT, DocumentRoot: '.').start"
}

ask() {
  http "$1" "$2" | says "Server: WEBrick/"
}
