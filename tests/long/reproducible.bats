#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The same source gives the same files, wherever it lies and whoever builds it when.

ROOT=$BATS_TEST_DIRNAME/../..

# built DIRECTORY [VAR=VALUE...]: a copy of the source is built there; sums of what comes of it
built() {
  local files=(libsklshim.so skl sklhelper)

  mkdir -p "$1"
  tar -C "$ROOT" --exclude=./build --exclude=./.git -cf - . | tar -C "$1" -xf -
  env -C "$1" "${@:2}" make -s all >/dev/null
  [[ ! -e $1/build/shim32/libsklshim.so ]] || files+=(shim32/libsklshim.so)
  (cd "$1/build" && sha256sum "${files[@]}")
  # before they are stripped, too: nothing tells where they were built
  ! grep -lF "$1" "${files[@]/#/$1/build/}"
}

@test "two builds in different directories, at different times, in different languages give identical files" {
  built "$BATS_TEST_TMPDIR/one" TZ=UTC LC_ALL=C >"$BATS_TEST_TMPDIR/sums.one"
  built "$BATS_TEST_TMPDIR/another/and/deeper" TZ=Asia/Tokyo LC_ALL=C.UTF-8 MAKEFLAGS=-j2 HOME=/nonexistent \
    >"$BATS_TEST_TMPDIR/sums.other"
  cat "$BATS_TEST_TMPDIR/sums.one"
  [ "$(wc -l <"$BATS_TEST_TMPDIR/sums.one")" -ge 3 ]
  diff "$BATS_TEST_TMPDIR/sums.one" "$BATS_TEST_TMPDIR/sums.other"
}
