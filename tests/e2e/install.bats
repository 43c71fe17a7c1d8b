#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# make install and what comes of it: run from where it lies, by programs of each kind, and removed.

setup() {
  load ../lib/skl
  skl_setup
}

teardown() {
  skl_teardown
}

# installed VAR=VALUE...: what was built, as it is
installed() {
  make -s -C "$ROOT" -o all B="${BUILD#/run/src/}" install DESTDIR="$T/root" "$@" >/dev/null
}

# in_place: what was built for /usr/local is there, in the test's namespace
in_place() {
  installed
  ns mount --bind /run/test/root/usr/local /usr/local
}

@test "uninstall leaves nothing, not even a directory" {
  installed PREFIX=/opt/skl LIBDIR=/opt/skl/lib64
  [ -x "$T/root/opt/skl/bin/skl" ]
  [ -e "$T/root/opt/skl/lib64/skl/libsklshim.so" ]
  [ "$(stat -c %a "$T/root/opt/skl/lib64/skl/libsklshim.so")" = 644 ]
  touch "$T/root/opt/skl/lib64/other"
  make -s -C "$ROOT" uninstall DESTDIR="$T/root" PREFIX=/opt/skl LIBDIR=/opt/skl/lib64 >/dev/null
  [ "$(cd "$T/root" && find . ! -type d)" = ./opt/skl/lib64/other ]
  rm "$T/root/opt/skl/lib64/other"
  installed PREFIX=/opt/skl LIBDIR=/opt/skl/lib64
  make -s -C "$ROOT" uninstall DESTDIR="$T/root" PREFIX=/opt/skl LIBDIR=/opt/skl/lib64 >/dev/null
  [ -z "$(ls -A "$T/root")" ]
}

@test "uninstalled in a live system: its own directories go, those of every system stay" {
  ns mount -t tmpfs tmpfs /usr/local
  ns mkdir /usr/local/bin /usr/local/sbin /usr/local/lib /usr/local/share
  ns find /usr/local >"$T/before"
  ns make -s -C "$ROOT" -o all B="${BUILD#/run/src/}" install >/dev/null
  ns test -x /usr/local/bin/skl
  ns make -s -C "$ROOT" uninstall >/dev/null
  ns find /usr/local ! -path '*/share/man*' >"$T/after"
  diff "$T/before" "$T/after"
  [ -z "$(ns find /usr/local ! -type d)" ]
}

@test "pkg-config tells the paths, and they are true" {
  local of

  installed
  of() {
    PKG_CONFIG_PATH=$T/root/usr/local/lib/pkgconfig pkg-config "$@" skl
  }
  [ "$("$T/root/usr/local/bin/skl" version | head -n 1)" = "skl $(of --modversion)" ]
  for of in shim command helper; do
    [ -s "$T/root$(of --variable=$of)" ]
  done
  # shellcheck disable=SC2016 # the loader's
  [ "$(of --variable=preload)" = '/usr/local/lib/skl/$LIB/libsklshim.so' ]
  grep -q "\"$(of --variable=socket)\"" "$ROOT/helper/wire.h"
  grep -q "^#define POLICY_PATH *\"$(of --variable=policy)\"" "$ROOT/helper/rules/grants.h"
}

@test "a 64-bit program is given the shim by its loader, and starts a helper from there" {
  in_place
  spawn /usr/local/bin/skl run -p 7 -- "$BUILD/examples/legacy-server" 8080
  wait_port 7
  answers 127.0.0.1 7 8080
  # shellcheck disable=SC2016 # the loader's
  tr '\0' '\n' <"/proc/$SPAWNED/environ" | grep -qxF 'LD_PRELOAD=/usr/local/lib/skl/$LIB/libsklshim.so'
  [ "$(readlink "/proc/$(pgrep -x -n sklhelper --ns "$HOLDER" --nslist net)/exe")" = /usr/local/sbin/sklhelper ]
}

# It needs no headers, and of a C library only the file.
make_server() {
  cat >"$T/server.c" <<'C'
extern int socket(int, int, int), bind(int, const void *, unsigned), listen(int, int), accept(int, void *, unsigned *);
extern int setsockopt(int, int, int, const void *, unsigned), close(int);
extern long write(int, const void *, unsigned long);

static const unsigned char address[16] = {2, 0, 0x1f, 0x90};

int main(void)
{
	int one = 1, s = socket(2, 1, 0), c;

	setsockopt(s, 1, 2, &one, sizeof(one));
	if (bind(s, address, sizeof(address)) || listen(s, 5))
		return 1;
	while ((c = accept(s, 0, 0)) >= 0) {
		write(c, sizeof(long) == 4 ? "32 bits\n" : "64 bits\n", 8);
		close(c);
	}
	return 0;
}

void _start(void)
{
	main();
	for (;;)
		;
}
C
}

@test "a 32-bit program of a 64-bit system is given one that is for it, and a program that it starts another" {
  [ -e "$BUILD/shim32/libsklshim.so" ] || skip "no compiler for 32-bit programs"
  in_place
  make_server
  gcc -m32 -fno-pie -no-pie -nostdlib -o "$T/server32" "$T/server.c" /lib32/libc.so.6 \
    -Wl,-dynamic-linker,/lib/ld-linux.so.2
  if ! /lib/ld-linux.so.2 --version >/dev/null 2>&1; then
    echo "# linked; this kernel runs no 32-bit programs" >&3
    return
  fi
  # a shell of 64 bits becomes the program of 32
  # shellcheck disable=SC2016 # for the inner shell
  spawn /usr/local/bin/skl run -p 7 -- sh -c 'exec "$0"' /run/test/server32
  wait_port 7
  [ "$(ask 127.0.0.1 7)" = "32 bits" ]
  grep -q '/skl/lib32/libsklshim.so' "/proc/$SPAWNED/maps"
  [ ! -s "$LOG" ] # no loader complains of a file of another class
  run ns /usr/local/bin/skl doctor /run/test/server32
  says "its loader /lib/ld-linux.so.2 takes the shim"
}

@test "a program of another C library, whose loader knows no \$LIB" {
  in_place
  musl-gcc -o "$T/server-musl" "$ROOT/examples/legacy-server.c"
  spawn /usr/local/bin/skl run -p 7 -- /run/test/server-musl 8080
  wait_port 7
  answers 127.0.0.1 7 8080
  grep -q '/skl/libsklshim.so' "/proc/$SPAWNED/maps"
}
