# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# It puts its socket into epoll before it binds it.
package erlang-base
title "erlang gen_udp"
modes preload supervised
protocols udp

start() {
  serve erl -noshell -eval "{ok, S} = gen_udp:open($PORT, [binary, inet6, {active, true}]),
    F = fun(F) -> receive {udp, S, A, P, B} -> gen_udp:send(S, A, P, B), F(F) end end, F(F)."
}

ask() {
  "$BUILD/tests/udp-ask" "$1" "$2"
}
