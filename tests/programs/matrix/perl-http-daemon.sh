# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package libhttp-daemon-perl
title "perl HTTP::Daemon"

start() {
  # shellcheck disable=SC2016 # not for this shell
  serve perl -MHTTP::Daemon -MHTTP::Response -e '
    my $daemon = HTTP::Daemon->new(LocalAddr => "::", LocalPort => $ENV{PORT}, V6Only => 0, ReuseAddr => 1) or die;
    while (my $client = $daemon->accept) {
      $client->get_request and $client->send_response(HTTP::Response->new(200, "OK", [], "port " . $client->sockport));
      $client->close;
    }'
}

ask() {
  http "$1" "$2" | says "Server: libwww-perl-daemon/" "port $2"
}
