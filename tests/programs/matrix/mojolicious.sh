# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package libmojolicious-perl
title "perl Mojolicious"

start() {
  serve perl -Mojo -e 'a("/" => sub { shift->render(text => "hello") })->start' daemon -l "http://[::]:$PORT"
}

ask() {
  http "$1" "$2" | says "Server: Mojolicious (Perl)" hello
}
