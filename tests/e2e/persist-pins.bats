#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# What is pinned is looked at before it is used: what is damaged or somebody else's is moved aside, what another
# version made is left in force, and --purge removes what helpers have made and nothing else.

EBUSY=16

setup() {
  load ../lib/skl
  load ../lib/udp
  load ../lib/persist
  skl_setup
  DIR=/proc/$HOLDER/root$BPFFS
  BASE=${DIR%/*}
}

teardown() {
  skl_teardown
}

covered() {
  start_variant .
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  OLD=$SPAWNED
  wait_until answers 127.0.0.1 7
  run_udp SKL_PORTS=7 -- echo 5353
  UDP=$SPAWNED
  kill_helper
}

foreign_map() {
  ns bpftool map create "$BPFFS/$1" type "${2:-hash}" key 4 value "${3:-4}" entries "${4:-1}" name "${5:-foreign}"
}

# set_aside TEXT: the next helper says this and moves the directory; what it covered goes on, and new claims work.
set_aside() {
  local aside new

  : >"$T/helper.log"
  start_variant .
  grep -qF -- "$1" "$T/helper.log" || {
    cat "$T/helper.log"
    return 1
  }
  aside=$(find "$BASE" -maxdepth 1 -name "damaged-net-$NETNS-[0-9]*")
  [[ -n $aside && ! -e $DIR ]]
  grep -qF "now it is /sys/fs/bpf/skl/${aside##*/}" "$T/helper.log"
  (($(listeners "select(.netns == $NETNS)" | jq length) == 0))
  answers 127.0.0.1 8080 7
  udp_echoes 127.0.0.1 7
  run_shim SKL_PORTS=77 -- "$BUILD/tests/srv-listen" plain 9090
  new=$SPAWNED
  wait_until answers 127.0.0.1 77
  answers 127.0.0.1 7
  # the next one finds it as it is, and says so
  kill_helper
  : >"$T/helper.log"
  start_variant .
  grep -qF "${aside##*/}: was moved aside" "$T/helper.log"
  (($(listeners "select(.netns == $NETNS)" | jq length) == 1))
  stop "$new" KILL
  kill_helper
}

purged() {
  ns "$BUILD/sklhelper" --purge
  [[ -z $(pins) ]]
  no_clsact_on lo
  refused 127.0.0.1 7
  answers 127.0.0.1 8080
}

@test "a pin is missing" {
  local pin

  for pin in members link tables dispatch; do
    covered
    rm "$DIR/$pin"
    if [[ $pin == link ]]; then # that ends it
      start_variant .
      grep -q "link: is not there" "$T/helper.log"
      run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 9090
      wait_until answers 127.0.0.1 7
      kill_helper
      stop "$SPAWNED" KILL
    else
      set_aside "$pin: is not there"
    fi
    purged
    stop "$OLD" KILL
    stop "$UDP" KILL
  done
}

@test "another map is under the name, of another kind or like ours" {
  covered
  rm "$DIR/trie"
  foreign_map trie hash
  set_aside "trie: is not what sklhelper pins there"
  run ns "$BUILD/sklhelper" --purge
  [ "$status" -eq 1 ]
  says "/trie: not made by sklhelper"
  find "$BASE" -name trie | grep -q damaged
}

@test "a map of ours, of another namespace" {
  covered
  new_netns
  spawn nsenter --target "$NEW" --net -- env "LD_PRELOAD=$SHIM" SKL_WAIT=10s SKL_PORTS=7 \
    "$BUILD/tests/srv-listen" plain 8080
  start_variant .
  wait_until other_is_there
  kill_helper
  rm "$DIR/sockets"
  ns bpftool map pin pinned "$(find "$BASE" -maxdepth 1 -name 'net-*' ! -name "net-$NETNS" -printf '/sys/fs/bpf/skl/%f')/sockets" \
    "$BPFFS/sockets"
  set_aside "do not belong together"
  purged
}

other_is_there() {
  (($(find "$BASE" -maxdepth 1 -name 'net-*' | wc -l) == 2))
}

@test "something more is in the directory: a map, a directory, a link" {
  covered
  foreign_map mine
  set_aside "mine: sklhelper pins nothing of this name"
  run ns "$BUILD/sklhelper" --purge
  [ "$status" -eq 1 ]
  says "/mine: not made by sklhelper"
  refused 127.0.0.1 7
  find "$BASE" -mindepth 2 >"$T/left"
  (($(wc -l <"$T/left") == 1)) && grep -q '/mine$' "$T/left"
}

@test "a directory or a symbolic link is in the place of a pin" {
  covered
  rm "$DIR/events"
  mkdir "$DIR/events"
  set_aside "events: is no pin"
  rmdir "$BASE"/damaged-*/events
  purged
  stop "$OLD" KILL
  stop "$UDP" KILL
  covered
  mv "$DIR/events" "$BASE/events"
  ln -s "/sys/fs/bpf/skl/events" "$DIR/events"
  set_aside "events: is no pin"
}

@test "it is attached to another namespace than its name says" {
  covered
  mv "$DIR" "$BASE/net-1234"
  start_variant .
  grep -q "net-1234: is attached to network namespace $NETNS" "$T/helper.log"
  [[ -n $(find "$BASE" -maxdepth 1 -name 'damaged-net-1234-*') ]]
  answers 127.0.0.1 7
  kill_helper
  purged
}

@test "a symbolic link in the place of the directory; names that only look like ours" {
  local name

  covered
  mv "$DIR" "$BASE/elsewhere"
  ln -s /sys/fs/bpf/skl/elsewhere "$DIR"
  for name in net-007 net-1x net- net-+5 net-18446744073709551616 damaged-net-5 new-net-; do
    mkdir "$BASE/$name"
  done
  start_variant .
  [[ -L $(find "$BASE" -maxdepth 1 -name "damaged-net-$NETNS-*") ]]
  for name in net-007 net-1x net- net-+5 net-18446744073709551616 damaged-net-5 new-net- elsewhere; do
    grep -qF "/skl/$name: is not sklhelper's: left alone" "$T/helper.log"
    [[ -d $BASE/$name ]]
  done
  run_shim SKL_PORTS=77 -- "$BUILD/tests/srv-listen" plain 9090
  wait_until answers 127.0.0.1 77
  kill_helper
  run ns "$BUILD/sklhelper" --purge
  [ "$status" -eq 1 ]
  says "left /sys/fs/bpf/skl/net-007: not made by sklhelper" "left /sys/fs/bpf/skl/elsewhere: not made by sklhelper"
  refused 127.0.0.1 77
  answers 127.0.0.1 7
  [[ -d $BASE/net-007 && ! -e $DIR ]]
}

@test "damaged while the helper runs: the claim that meets it works" {
  covered
  stop "$OLD" KILL
  stop "$UDP" KILL
  start_variant .
  wait_until no_net_dir
  mkdir "$DIR"
  ns bpftool map create "$BPFFS/link" type hash key 4 value 4 entries 1 name foreign
  run_shim SKL_PORTS=7 -- "$BUILD/tests/srv-listen" plain 8080
  wait_until answers 127.0.0.1 7
  grep -q "damaged-net-$NETNS-" "$T/helper.log"
}

no_net_dir() {
  [[ ! -e $DIR ]]
}

@test "another version's: it goes on, and claims are refused until its programs have ended" {
  covered
  start_variant layout
  grep -q "another version of sklhelper made it" "$T/helper.log"
  [[ -d $DIR ]]
  answers 127.0.0.1 7
  udp_echoes 127.0.0.1 7
  run shim SKL_PORTS=77 -- "$BUILD/tests/srv-listen" plain 9090
  [ "$status" -eq $EBUSY ]
  says libsklshim: "another version of sklhelper"
  # another namespace is none of that
  new_netns
  spawn nsenter --target "$NEW" --net -- env "LD_PRELOAD=$SHIM" SKL_PORTS=7 "$BUILD/tests/srv-listen" plain 8080
  wait_until in_netns "$NEW" "$BUILD/tests/srv-ask" 127.0.0.1 7
  # back to the version that made it
  kill_helper
  start_variant .
  listeners | jq -e 'length == 2'
  grep -q "net-.*: another version of sklhelper made it" "$T/helper.log"
  kill_helper
  start_variant layout
  stop "$OLD" KILL
  run shim SKL_PORTS=77 -- "$BUILD/tests/srv-listen" plain 9090
  [ "$status" -eq $EBUSY ]
  stop "$UDP" KILL
  run_shim SKL_PORTS=77 -- "$BUILD/tests/srv-listen" plain 9090
  wait_until answers 127.0.0.1 77
  no_clsact_on lo
  refused 127.0.0.1 7
}

@test "maps of another size are another version's, too" {
  covered
  rm "$DIR/lookups"
  foreign_map lookups percpu_array 8 4096 lookups
  start_variant .
  grep -q "lookups: has another size than this version's" "$T/helper.log"
  grep -q "another version of sklhelper made it" "$T/helper.log"
  answers 127.0.0.1 7
  kill_helper
  purged
}

@test "purge: not while a helper runs; everything of ours, and only that" {
  covered
  start_variant .
  run ns "$BUILD/sklhelper" --purge
  [ "$status" -eq 1 ]
  says "another helper (pid $HELPER) works there"
  answers 127.0.0.1 7
  run_shim SKL_BIND=198.18.0.0/24:7 -- "$BUILD/tests/srv-listen" plain 9090
  wait_until answers 198.18.0.1 7
  ns ip link add skl2 type veth peer name skl3
  ns tc qdisc add dev skl2 clsact
  wait_until reply_on skl2
  wait_until reply_on skl3
  ns ip route add local 198.19.0.0/24 dev lo
  kill_helper
  ns bpftool map create /sys/fs/bpf/theirs type hash key 4 value 4 entries 1 name theirs
  run ns "$BUILD/sklhelper" --purge
  [ "$status" -eq 0 ]
  says "removed /sys/fs/bpf/skl/net-$NETNS with " "removed /sys/fs/bpf/skl" "removed /run/skl/helper.sock"
  refused 127.0.0.1 7
  answers 127.0.0.1 8080
  no_clsact_on lo
  no_clsact_on skl3
  ns tc qdisc show dev skl2 | grep -q clsact
  [[ $(pins) == */sys/fs/bpf/theirs ]]
  [[ -z $(ns ip route show table local proto 83) ]]
  ns ip route show table local | grep -q 198.19.0.0/24
  run ns "$BUILD/sklhelper" --purge
  [ "$status" -eq 0 ]
  says "nothing was there to remove"
}

@test "purge of another place leaves the helper's socket, which answers" {
  start_variant .
  ns mkdir /sys/fs/bpf/other
  run ns "$BUILD/sklhelper" --purge --bpffs /sys/fs/bpf/other
  [ "$status" -eq 1 ]
  says "left /run/skl/helper.sock"
  serves
  run ns "$BUILD/sklhelper" --purge --bpffs /run
  [ "$status" -eq 1 ]
  says "/run" "bpffs"
}
