# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# A SO_REUSEPORT group for each address and protocol.
package coturn
modes preload supervised
protocols udp tcp
port 3478

start() {
  serve turnserver -n --listening-port "$PORT" -L 0.0.0.0 -L :: --no-tls --no-dtls --no-cli --no-auth --log-file stdout \
    --pidfile "$T/pid" --userdb "$T/db"
}

# a question of STUN: which address do you see
ask() {
  exchange "$@" '\0\1\0\0\41\22\244\102asked by him' | says Coturn-
}
