#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
# reached.pl PORT: tells each client which address and port it reached. Needs no more of Perl than every Debian has.
use strict;
use warnings;
use Socket;

socket(my $listener, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($listener, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
bind($listener, sockaddr_in($ARGV[0], INADDR_ANY)) or die "bind: $!\n";
listen($listener, 64) or die "listen: $!\n";
while (accept(my $client, $listener)) {
	my ($port, $address) = sockaddr_in(getsockname($client));

	syswrite($client, "perl: you reached " . inet_ntoa($address) . " port $port\n");
	close($client);
}
