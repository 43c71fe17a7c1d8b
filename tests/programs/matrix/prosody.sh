# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
package prosody
port 5222

start() {
  mkdir data
  cat >prosody.cfg.lua <<CONF
daemonize = false
run_as_root = true
pidfile = "$T/pid"
data_path = "$T/data"
c2s_ports = { $PORT }
s2s_ports = { }
modules_enabled = { "c2s" }
modules_disabled = { "s2s" }
c2s_require_encryption = false
log = { { levels = { min = "info" }, to = "console" } }
VirtualHost "xmpp.test"
CONF
  serve prosody --config "$T/prosody.cfg.lua"
}

ask() {
  exchange "$1" "$2" tcp "<stream:stream to='xmpp.test' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>" |
    says "from='xmpp.test'"
}
