#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The unit files: as they are installed, as systemd judges them, and as systemd runs them.

setup() {
  load ../lib/skl
  T=$BATS_TEST_TMPDIR
  ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
  export T
}

# installed VAR=VALUE...: what was built, as it is
installed() {
  make -s -C "$ROOT" -o all install DESTDIR="$T/root" "$@" >/dev/null
}

@test "installed with the paths of PREFIX, and uninstalled without a rest" {
  local unit

  installed PREFIX=/opt/skl
  unit=$T/root/opt/skl/lib/systemd/system/sklhelper.service
  grep -qx "ExecStart=/opt/skl/sbin/sklhelper" "$unit"
  [ -x "$T/root/opt/skl/sbin/sklhelper" ]
  run grep -r '@[A-Z]*@' "$T/root/opt/skl/lib"
  [ -z "$output" ]
  [ "$(stat -c %a "$unit")" = 644 ]
  make -s -C "$ROOT" uninstall DESTDIR="$T/root" PREFIX=/opt/skl >/dev/null 2>&1
  run find "$T/root" ! -type d
  [ -z "$output" ]
}

@test "systemd finds nothing to complain about in them" {
  installed PREFIX=/usr
  mkdir -p "$T/root/etc" "$T/root/usr/bin"
  for program in systemd-tmpfiles kill; do
    cp "$(type -P "$program")" "$T/root/usr/bin/"
  done
  run systemd-analyze verify --root="$T/root" --man=no --recursive-errors=no sklhelper.service sklhelper.socket
  ((status == 0))
  [ -z "$output" ]
}

@test "the exposure that systemd-analyze security sees is at most 1.5" {
  installed PREFIX=/usr
  run systemd-analyze security --offline=true --threshold=15 "$T/root/usr/lib/systemd/system/sklhelper.service"
  echo "${lines[-1]}"
  ((status == 0))
  [[ ${lines[-1]} =~ 'Overall exposure level for sklhelper.service: '([0-9.]+) ]]
  [[ ${BASH_REMATCH[1]} == 1.[0-5] || ${BASH_REMATCH[1]} == 0.* ]]
}

# The script that runs in there says what it sees; what it should have seen is below.
@test "booted with systemd: starts with the first request, an ordinary user; a kill, a stop and a start lose nothing" {
  local status=0

  bash "$ROOT/tests/lib/boot.bash" "$ROOT/tests/programs/booted.sh" || status=$?
  if ((status == 77)); then
    skip "systemd cannot be booted here"
  fi
  ((status == 0))
}

@test "booted with systemd: the drop-in of examples/systemd covers a service that knows nothing of it, and can be taken back" {
  local status=0

  bash "$ROOT/tests/lib/boot.bash" "$ROOT/tests/programs/booted-dropin.sh" || status=$?
  if ((status == 77)); then
    skip "systemd cannot be booted here"
  fi
  ((status == 0))
}
