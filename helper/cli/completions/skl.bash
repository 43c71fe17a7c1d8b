# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# Completion of skl for bash: commands and options, and numbers, ports and processes as they are now.

# The numbers of listeners; their ports and those that they cover.
_skl_ids() {
  skl status 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }'
}

_skl_ports() {
  skl status 2>/dev/null | awk '
    $1 ~ /^[0-9]+$/ { sub(/,$/, "", $6); n = split($6, at, ":"); print at[n] }
    $2 == "port" { print $3 }'
}

_skl_users() {
  skl status 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $4 }' | sort -u
}

# Processes with a listening TCP socket that this user can see; where ss is not there, all of his.
_skl_pids() {
  if command -v ss >/dev/null; then
    ss -Hltnp 2>/dev/null | grep -o 'pid=[0-9]*' | cut -d= -f2 | sort -un
  else
    ps -o pid= -u "$(id -u)"
  fi
}

_skl_words() {
  mapfile -t COMPREPLY < <(compgen -W "$1" -- "${COMP_WORDS[COMP_CWORD]}")
}

_skl_files() {
  compopt -o default
  COMPREPLY=()
}

# Where among the words of run or upgrade does the program stand? 0 where it is not there yet.
_skl_program() {
  local i=2

  [[ ${COMP_WORDS[1]} == run ]] || i=3 # the name of the share
  for (( ; i < COMP_CWORD; i++)); do
    case ${COMP_WORDS[i]} in
      --) echo $((i + 1)) && return ;;
      -[pcb] | --ports | --cidrs | --bind | --for | --share | --hold | --after | --timeout | --signal) ((++i)) ;;
      -*) ;;
      *) echo "$i" && return ;;
    esac
  done
  echo 0
}

_skl_run() {
  local at

  at=$(_skl_program)
  if ((at && at < COMP_CWORD)); then
    _skl_files
  elif ((!at)) && [[ $1 == -[pcb] || $1 == --@(ports|cidrs|bind|for|share|hold|after|timeout|signal) ]]; then
    COMPREPLY=()
  elif ((!at)) && [[ ${COMP_WORDS[COMP_CWORD]} == -* ]]; then
    if [[ ${COMP_WORDS[1]} == run ]]; then
      _skl_words "--ports --cidrs --bind --for --share --hold --warn --supervise --check --print --help --"
    else
      _skl_words "--after --timeout --signal --keep-old --help --"
    fi
  else
    mapfile -t COMPREPLY < <(compgen -c -- "${COMP_WORDS[COMP_CWORD]}")
  fi
}

_skl() {
  local commands="run status attach upgrade detach trace doctor metrics version help"
  local previous=${COMP_WORDS[COMP_CWORD - 1]} current=${COMP_WORDS[COMP_CWORD]}

  if ((COMP_CWORD == 1)); then
    _skl_words "$commands"
    return
  fi
  case ${COMP_WORDS[1]}:$previous in
    status:--pid | attach:--pid) _skl_words "$(_skl_pids)" ;;
    status:--port) _skl_words "$(_skl_ports)" ;;
    status:--user) _skl_words "$(_skl_users)" ;;
    status:--netns | trace:--netns | metrics:-o | metrics:--output) _skl_files ;;
    attach:--listen | attach:-[pcb] | attach:--ports | attach:--cidrs | attach:--bind) COMPREPLY=() ;;
    run:* | upgrade:*) _skl_run "$previous" ;;
    help:*) _skl_words "$commands" ;;
    status:*)
      if [[ $current == -* ]]; then
        _skl_words "--json --watch --pid --port --user --netns --help"
      else
        _skl_words "$(_skl_ports)"
      fi
      ;;
    attach:*) _skl_words "--pid --listen --ports --cidrs --bind --help" ;;
    detach:*)
      if [[ $current == -* ]]; then
        _skl_words "--help"
      else
        _skl_words "$(_skl_ids)"
      fi
      ;;
    trace:*)
      if [[ $current == -* ]]; then
        _skl_words "--json --netns --help"
      else
        _skl_words "$(_skl_ports)"
      fi
      ;;
    metrics:*) _skl_words "--output --help" ;;
    doctor:*)
      if [[ $previous == --policy ]]; then
        mapfile -t COMPREPLY < <(compgen -u -- "$current")
      elif [[ $previous == --file ]]; then
        _skl_files
      elif [[ $current == -* ]]; then
        _skl_words "--json --policy --file --help"
      else
        mapfile -t COMPREPLY < <(compgen -c -- "$current")
      fi
      ;;
  esac
}

complete -F _skl skl
