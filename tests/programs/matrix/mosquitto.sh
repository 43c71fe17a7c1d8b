# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Drops its rights before it binds.
package mosquitto mosquitto-clients
port 1883
routed

start() {
  printf 'listener %s\nallow_anonymous true\nuser nobody\n' "$PORT" >mosquitto.conf
  serve mosquitto -c mosquitto.conf
}

ask() {
  local topic=t$RANDOM

  mosquitto_pub -h "$1" -p "$2" -r -t "$topic" -m "message $topic"
  mosquitto_sub -h "$1" -p "$2" -t "$topic" -C 1 -W 5 | says "message $topic"
}
