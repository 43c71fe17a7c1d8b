# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package erlang-inets erlang-base
title "erlang inets httpd"

start() {
  serve erl -noshell -eval "{ok, _} = application:ensure_all_started(inets),
    {ok, _} = inets:start(httpd, [{port, $PORT}, {server_name, \"erlang\"}, {server_root, \"$T\"}, {document_root, \"$T\"},
    {ipfamily, inet6}, {bind_address, any}])"
}

ask() {
  http "$1" "$2" | says "Server: inets/"
}
