#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# make deb: what lintian says of the packages, and their life in a booted system: installed, used, upgraded, purged.

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  export DEBS=$BATS_FILE_TMPDIR
  make B="$DEBS/old" deb >"$DEBS/old.log" 2>&1 || tail -n 30 "$DEBS/old.log" >&2
  # the next version is another one by its number only
  make B="$DEBS/new" VERSION=99.0 deb >"$DEBS/new.log" 2>&1 || tail -n 30 "$DEBS/new.log" >&2
}

@test "two packages of each version, and lintian says nothing of errors and warnings" {
  local version package

  for version in old/deb:"$(sed -n "s,^VERSION := ,,p" Makefile)" new/deb:99.0; do
    for package in skl libsklshim; do
      ls "$DEBS/${version%:*}/${package}_${version#*:}"*.deb
    done
  done
  run lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$DEBS"/old/deb/*.changes
  echo "$output"
  [ "$status" -eq 0 ]
  [ -z "$output" ]
}

@test "who has what: the library, its page and paths in libsklshim, all else in skl" {
  dpkg-deb -c "$DEBS"/old/deb/libsklshim_*.deb | awk '{print $6}' >"$BATS_TEST_TMPDIR/library"
  dpkg-deb -c "$DEBS"/old/deb/skl_*.deb | awk '{print $6}' >"$BATS_TEST_TMPDIR/command"
  for file in usr/lib/skl/libsklshim.so usr/share/man/man7/libsklshim.7.gz usr/share/pkgconfig/skl.pc; do
    grep -qx "./$file" "$BATS_TEST_TMPDIR/library"
  done
  for file in usr/bin/skl usr/sbin/sklhelper usr/lib/sysusers.d/skl.conf usr/lib/tmpfiles.d/skl.conf \
    usr/share/bash-completion/completions/skl usr/share/zsh/vendor-completions/_skl \
    usr/share/fish/vendor_completions.d/skl.fish usr/share/man/man1/skl.1.gz usr/share/man/man8/sklhelper.8.gz \
    usr/share/man/man5/skl-policy.conf.5.gz usr/share/doc/skl/examples/policy.conf \
    'usr/lib/systemd/system/sklhelper.s[a-z]*' 'usr/share/doc/skl/examples/kubernetes/.*'; do
    grep -qx "\./\(usr/\)\?${file#usr/}" "$BATS_TEST_TMPDIR/command"
  done
  run grep -v -e '/$' -e '^./usr/' -e '^./lib/systemd/system/' "$BATS_TEST_TMPDIR/command" "$BATS_TEST_TMPDIR/library"
  [ -z "$output" ]
}

@test "installed, the main job done, upgraded without losing a connection, purged without a rest" {
  local status=0

  T=$BATS_TEST_TMPDIR
  export T
  mkdir "$T/debs"
  cp "$DEBS"/old/deb/*.deb "$T/debs/"
  mkdir "$T/debs/new"
  cp "$DEBS"/new/deb/*.deb "$T/debs/new/"
  BOOT_S=150 bash "$BATS_TEST_DIRNAME/../lib/boot.bash" --bare "$BATS_TEST_DIRNAME/../programs/booted-deb.sh" || status=$?
  if ((status == 77)); then
    skip "systemd cannot be booted here"
  fi
  ((status == 0))
}
