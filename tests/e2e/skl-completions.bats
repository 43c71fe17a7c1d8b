#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # for the inner shells
#
# Completion in bash, zsh and fish, of what is there now.

setup() {
  load ../lib/skl
  skl_setup
  COMPLETIONS=$ROOT/helper/cli/completions
  start_helper
  run_shim SKL_PORTS=7,8000-8099 -- "$BUILD/examples/legacy-server" 8080
  SERVER=$SPAWNED
  wait_port 7
}

teardown() {
  skl_teardown
}

# in_bash WORD...: what bash offers for the last word.
in_bash() {
  ns env PATH="$BUILD:$PATH" bash -c '
    compopt() { :; }
    source "$1"
    COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
    _skl
    printf "%s\n" "${COMPREPLY[@]}"' - "$COMPLETIONS/skl.bash" "$@"
}

in_fish() {
  ns env PATH="$BUILD:$PATH" HOME="$T" fish --no-config -c 'source $argv[1]; complete -C $argv[2]' "$COMPLETIONS/skl.fish" "$*"
}

# in_zsh WORD...: what is handed to zsh's own functions, which need a terminal.
in_zsh() {
  ns env PATH="$BUILD:$PATH" zsh -f -c '
    _describe() { print -l -- ${(P)@[-1]} }
    compadd() { print -l -- ${(P)2} }
    _arguments() { print -l -- "$@"; [[ $words[1] == detach ]] && _skl_ids; [[ $words[1] == status ]] && _skl_ports; return 0 }
    file=$1; shift
    words=("$@") CURRENT=$#
    eval "$(sed "/^_skl \"\$@\"\$/d" $file)"
    _skl' - "$COMPLETIONS/_skl" "$@"
}

@test "bash: commands, options, and what the helper knows" {
  [ "$(in_bash skl st)" = status ]
  in_bash skl "" | grep -qx detach
  [ "$(in_bash skl detach "")" = 1 ]
  [ "$(in_bash skl status --port "")" = $'8080\n7' ]
  [ "$(in_bash skl status --user r)" = root ]
  in_bash skl attach --pid "" | grep -qx "$SERVER"
  [ "$(in_bash skl status --js)" = --json ]
  [ "$(in_bash skl help m)" = metrics ]
  [ -z "$(in_bash skl run -p "")" ]
  in_bash skl run -p 7 --for 8080 sleep | grep -qx sleep
  in_bash skl run -p 7 -- sleep | grep -qx sleep
  [ -z "$(in_bash skl run -p 7 -- sleep "")" ] # bash's own completion of files
}

@test "fish: the same" {
  in_fish "skl st" | grep -q ^status
  in_fish "skl detach " | grep -q "^1"$'\t'"legacy-server"
  [ "$(in_fish "skl status --port " | sort)" = $'7\n8080' ]
  in_fish "skl run --sup" | grep -q ^--supervise
  in_fish "skl metrics --out" | grep -q ^--output
}

@test "zsh: the same" {
  in_zsh skl "" | grep -q "^detach:"
  in_zsh skl detach "" | grep -q "^1:legacy-server 0.0.0.0:8080"
  in_zsh skl status "" | grep -qx 8080
  in_zsh skl run "" | grep -q -- "--supervise"
}

@test "every option and command of the help is offered" {
  for command in $("$BUILD/skl" help | awk '/^  [a-z]/ { print $1 }'); do
    grep -q "$command" "$COMPLETIONS/skl.bash"
    grep -q "$command:" "$COMPLETIONS/_skl"
    grep -q "'*[ -]$command'* " "$COMPLETIONS/skl.fish"
    for option in $("$BUILD/skl" help "$command" | grep -o -- '^ .*--[a-z]*[ ,=]' | grep -o -- '--[a-z]*' | sort -u); do
      echo "$command $option"
      grep -q -- "$option" "$COMPLETIONS/skl.bash"
      grep -q -- "$option" "$COMPLETIONS/_skl"
      grep -q -- "-l ${option#--}" "$COMPLETIONS/skl.fish"
    done
  done
}
