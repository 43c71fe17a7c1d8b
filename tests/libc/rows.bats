#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # for the inner shell
#
# The main job, a server on one port that answers on three, with every libc, allocator and preload that programs meet.
# Started by tests/libc/run, which makes ROOTS; each test is a row of the table that it prints.

setup_file() {
  # of one architecture there is one file
  SHA=$(sha256sum <"$BATS_TEST_DIRNAME/../../${TESTS_BUILD:-build}/libsklshim.so")
  export SHA
}

setup() {
  bats_require_minimum_version 1.5.0
  load ../lib/skl
  skl_setup
  start_helper --mode 0666
}

teardown() {
  skl_teardown
}

# row WHAT HOW: a line of the table, once the test is through.
row() {
  printf '%s\t%s\n' "$1" "$2" >>"${TABLE:?where the rows go}"
}

# main_job: the server just started on 8080 answers on 7 and 77 as well, and there alone.
main_job() {
  wait_port 127.0.0.1 77
  answers 127.0.0.1 8080 7 77
  refused 127.0.0.1 78
  [ "$(sha256sum <"$SHIM")" = "$SHA" ]
}

# root NAME: the test's namespaces with ROOTS/NAME as the root directory, the helper's socket in it, and the tree in /run/src.
root() {
  ROOT_DIR=$ROOTS/$1
  [ -x "$ROOT_DIR/usr/bin/perl" ]
  ns mount --rbind /run "$ROOT_DIR/run"
}

# perl_in NAME COMMAND...: a server of that root, by COMMAND.
perl_in() {
  root "$1"
  shift
  spawn chroot "$ROOT_DIR" "$@" /usr/bin/perl /run/src/tests/programs/reached.pl 8080
}

# glibc [EMULATOR]: which one the root has, by its own word.
glibc() {
  ns chroot "$ROOT_DIR" "$@" /usr/bin/getconf GNU_LIBC_VERSION
}

# debian SUITE RELEASE: with its own sha256sum for the file that it loads.
debian() {
  perl_in "$1" env "LD_PRELOAD=$SHIM" SKL_PORTS=7,77
  main_job
  [ "$(ns chroot "$ROOT_DIR" sha256sum "$SHIM")" = "${SHA%% *}  $SHIM" ]
  row "Debian $2, $(glibc)" "Perl, in a root of its own"
}

@test "Debian 11" {
  debian bullseye 11
}

@test "Debian 12" {
  debian bookworm 12
}

@test "Debian 13" {
  debian trixie 13
}

@test "Debian 11, LD_BIND_NOW" {
  perl_in bullseye env "LD_PRELOAD=$SHIM" LD_BIND_NOW=1 SKL_PORTS=7,77
  main_job
  row "Debian 11, $(glibc)" "LD_BIND_NOW=1"
}

@test "musl, where there is nothing else" {
  local place=$T/root loader
  loader=$(readlink -f /lib/ld-musl-x86_64.so.1)
  mkdir -p "$place/lib" "$place/run"
  cp "$loader" "$place/lib/ld-musl-x86_64.so.1"
  musl-gcc -O1 -o "$place/server" "$ROOT/examples/legacy-server.c"
  ns mount --rbind /run "$place/run"
  spawn env -i "LD_PRELOAD=$SHIM" SKL_PORTS=7,77 /usr/sbin/chroot "$place" /server 8080
  main_job
  row "musl $("$loader" 2>&1 | sed -n 's/^Version //p')" "a C server, in a root with nothing else"
}

# What runs programs of that kind here: nothing, where the kernel does, or an emulator.
runner() {
  if ns chroot "$ROOT_DIR" /usr/bin/true 2>/dev/null; then
    RUNNER=()
  else
    cp "/usr/bin/qemu-$1-static" "$ROOT_DIR/qemu"
    RUNNER=(/qemu)
  fi
}

# other ARCHITECTURE DIRECTORY EMULATOR: programs of another kind than the helper.
other() {
  local how="Perl, in a root of its own"

  SHIM=$BUILD/$2/libsklshim.so
  SHA=$(sha256sum <"$SHIM")
  root "bookworm-$1"
  runner "$3"
  if ((${#RUNNER[@]})); then
    spawn env SKL_PORTS=7,77 chroot "$ROOT_DIR" /qemu -E "LD_PRELOAD=$SHIM" /usr/bin/perl /run/src/tests/programs/reached.pl 8080
    how+=", by qemu-$3"
  else
    spawn chroot "$ROOT_DIR" env "LD_PRELOAD=$SHIM" SKL_PORTS=7,77 /usr/bin/perl /run/src/tests/programs/reached.pl 8080
  fi
  main_job
  row "Debian 12 $1, $(glibc "${RUNNER[@]}")" "$how"
}

@test "i386" {
  other i386 shim32 i386
}

@test "aarch64" {
  other arm64 aarch64 aarch64
}

# library NAME: the first such file of this machine.
library() {
  local found

  found=$(ldconfig -p | sed -n "s,.*$1.* => \(/.*x86_64.*\),\1,p" | head -n 1)
  [ -n "$found" ] || found=$(find /usr/lib -path "*$1*" -name '*.so*' | head -n 1)
  [ -n "$found" ]
  echo "$found"
}

# with WHAT FILE [VAR=VALUE...]: another library preloaded before and after the shim.
with() {
  local what=$1 file=$2 order

  shift 2
  for order in "$SHIM:$file" "$file:$SHIM"; do
    spawn env "LD_PRELOAD=$order" SKL_PORTS=7,77 "$@" "$BUILD/examples/legacy-server" 8080
    main_job
    grep -qF "${file##*/}" "/proc/$SPAWNED/maps"
    stop "$SPAWNED"
    wait_refused 127.0.0.1 77
  done
  row "$what" "preloaded, before and after the shim"
}

@test "jemalloc" {
  with jemalloc "$(library libjemalloc)"
}

@test "tcmalloc" {
  with tcmalloc "$(library libtcmalloc_minimal)"
}

@test "libfaketime" {
  with libfaketime "$(find /usr/lib -name libfaketime.so.1)" FAKETIME=-1d
}

@test "eatmydata" {
  with eatmydata "$(library libeatmydata)"
}

@test "fakeroot" {
  local order

  for order in 'LD_PRELOAD=$0:$LD_PRELOAD' 'LD_PRELOAD=$LD_PRELOAD:$0'; do
    spawn setpriv --reuid 4001 --regid 4001 --clear-groups fakeroot sh -c "SKL_PORTS=7007,7077 $order exec \"\$1\" 8080" "$SHIM" \
      "$BUILD/examples/legacy-server"
    wait_port 127.0.0.1 7077
    answers 127.0.0.1 8080 7007 7077
    ns pkill -x legacy-server --ns "$HOLDER" --nslist net
    wait_refused 127.0.0.1 8080
  done
  row fakeroot "preloaded, before and after the shim; an ordinary user"
}

@test "authbind" {
  local order

  ns mount -t tmpfs tmpfs /etc/authbind
  ns mkdir /etc/authbind/byport
  ns install -o 4001 -m 700 /dev/null /etc/authbind/byport/80
  for order in 'LD_PRELOAD=$0:$LD_PRELOAD' 'LD_PRELOAD=$LD_PRELOAD:$0'; do
    spawn setpriv --reuid 4001 --regid 4001 --clear-groups authbind --deep sh -c "SKL_PORTS=7007,7077 $order exec \"\$1\" 80" "$SHIM" \
      "$BUILD/examples/legacy-server"
    wait_port 127.0.0.1 7077
    answers 127.0.0.1 80 7007 7077
    stop "$SPAWNED"
    wait_refused 127.0.0.1 80
  done
  row authbind "preloaded, before and after the shim; port 80 of an ordinary user"
}

@test "AddressSanitizer" {
  local how

  for how in "gcc -fsanitize=address" "gcc -fsanitize=address -static-libasan" "clang -fsanitize=address"; do
    # shellcheck disable=SC2086 # a command
    $how -O1 -o "$T/server" "$ROOT/examples/legacy-server.c"
    spawn env "LD_PRELOAD=$SHIM" SKL_PORTS=7,77 ASAN_OPTIONS=verify_asan_link_order=0 /run/test/server 8080
    main_job
    stop "$SPAWNED"
    run ! grep AddressSanitizer "$LOG"
    wait_refused 127.0.0.1 77
  done
  row AddressSanitizer "gcc, shared and static, and clang"
}
