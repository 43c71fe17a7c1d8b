#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# The shim against a scripted helper: no BPF, no namespace, only listeners on loopback.
# shellcheck disable=SC2016,SC2030,SC2031 # every test is a subshell, and means it

bats_require_minimum_version 1.5.0

setup_file() {
	ROOT=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
	export ROOT BUILD=$ROOT/${TESTS_BUILD:-build}
	export SLOW=${TESTS_SLOW:-1} # how many times as long as elsewhere something may take here
	export TOOLS=$BUILD/tests SHIM=$BUILD/libsklshim.so
	export DO=$TOOLS/shim-do
	# Whoever runs the tests may have wishes of their own.
	local name
	for name in "${!SKL_@}" LD_PRELOAD; do
		unset "$name"
	done
}

setup() {
	SOCKET=$BATS_TEST_TMPDIR/h.sock
	LOG=$BATS_TEST_TMPDIR/log
	: >"$LOG"
	PIDS=()
}

teardown() {
	local pid
	for pid in "${PIDS[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
}

# helper ANSWER...: starts the fake helper and waits until it can be connected to.
helper() {
	"$TOOLS/fake-helper" "$SOCKET" "$LOG" "$@" 3>&- &
	PIDS+=($!)
	local i
	for ((i = 0; i < 250; i++)); do
		[ -S "$SOCKET" ] && return
		sleep 0.02
	done
	echo "the fake helper does not start"
	return 1
}

# shim [VARIABLE=VALUE]... PROGRAM [ARG]...: output has both streams.
shim() {
	run env SKL_HELPER="$SOCKET" LD_PRELOAD="$SHIM" "$@"
	# shellcheck disable=SC2154
	echo "status $status: $output"
}

# shim_do [VARIABLE=VALUE]... STEP...: the same with SKL_PORTS and the program that follows steps.
shim_do() {
	local variables=()
	while [[ $1 == [A-Z]*=* ]]; do
		variables+=("$1")
		shift
	done
	shim SKL_PORTS=7,77 "${variables[@]}" "$DO" "$@"
}

# say TEXT...: each is somewhere in the output.
says() {
	local text
	for text; do
		[[ $output == *"$text"* ]] || { echo "missing: $text"; return 1; }
	done
}

silent_about() {
	local text
	for text; do
		[[ $output != *"$text"* ]] || { echo "unexpected: $text"; return 1; }
	done
}

# asked N [PATTERN]: the helper was asked N times, each time as the pattern has it.
asked() {
	[ "$(wc -l <"$LOG")" -eq "$1" ] || { echo "asked:"; cat "$LOG"; return 1; }
	[ "$(grep -c -- "${2:-}" "$LOG" || true)" -eq "$1" ] || { echo "asked otherwise:"; cat "$LOG"; return 1; }
}

# fails ERRNO TEXT...: a claim now fails with this errno and says so; with SKL_ON_ERROR=warn the server serves.
fails() {
	local errno=$1
	shift
	shim_do socket bind listen
	says "listen -1 errno $errno port" 'libsklshim: tcp port ' "$@"
	shim_do SKL_ON_ERROR=warn socket bind listen serve
	says 'listen 0 errno 4242 port' served 'libsklshim: tcp port ' "$@"
	silent_about 'listen -1'
}

need_root() {
	[ "$(id -u)" -eq 0 ] || skip 'needs root'
}

milliseconds() {
	echo $(($(date +%s%N) / 1000000))
}

# ---- the file ----

@test "exports bind and listen without a version, imports three weak symbols" {
	run readelf -W --dyn-syms "$SHIM"
	diff - <(awk '$1 ~ /^[0-9]+:$/ && $8 { print $4, $5, $6, ($7 == "UND" ? "UND" : "DEF"), $8 }' <<<"$output" |
		LC_ALL=C sort) <<-'GOLDEN'
		FUNC GLOBAL DEFAULT DEF bind
		FUNC GLOBAL DEFAULT DEF listen
		NOTYPE WEAK DEFAULT UND __errno_location
		NOTYPE WEAK DEFAULT UND dlsym
		NOTYPE WEAK DEFAULT UND getauxval
	GOLDEN
	run readelf -W -V "$SHIM"
	says 'No version information found'
}

@test "needs no library, no thread-local storage, no executable stack, no lazy binding" {
	run readelf -W -d -l "$SHIM"
	says 'libsklshim.so' 'BIND_NOW' 'NODELETE' 'GNU_RELRO' 'GNU_STACK'
	silent_about '(NEEDED)' TLS TEXTREL '(RELR)' RWE
	[[ $output =~ GNU_STACK[[:space:]0-9a-fx]+RW[[:space:]] ]]
	strip -o "$BATS_TEST_TMPDIR/stripped.so" "$SHIM"
	echo "# libsklshim.so: $(stat -c %s "$SHIM") bytes, $(stat -c %s "$BATS_TEST_TMPDIR/stripped.so") stripped" >&3
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/stripped.so")" -lt 32768 ]
}

# The architectures of which this machine has no libc: strictly enough headers, and everything but a C library.
foreign() {
	local dir=$BATS_TEST_TMPDIR/include name
	mkdir -p "$dir/asm"
	for name in auxvec bitsperlong errno posix_types socket sockios stat swab types unistd; do
		echo "#include <asm-generic/$name.h>" >"$dir/asm/$name.h"
	done
	echo '#include <linux/byteorder/little_endian.h>' >"$dir/asm/byteorder.h"
	sed -i '1i#define __BITS_PER_LONG 64' "$dir/asm/bitsperlong.h"
	FOREIGN="-I$ROOT -std=gnu11 -Os -ffreestanding -fPIC -fvisibility=hidden -fno-stack-protector -Wall -Wextra -Werror"
}

@test "compiles for aarch64 without calls into a compiler's library" {
	foreign
	local source
	for source in "$ROOT"/preload/*.c; do
		# shellcheck disable=SC2086
		clang --target=aarch64-linux-gnu $FOREIGN -isystem "$BATS_TEST_TMPDIR/include" -isystem /usr/include \
			-c "$source" -o "$BATS_TEST_TMPDIR/$(basename "$source").o"
	done
	run bash -c "llvm-nm '$BATS_TEST_TMPDIR'/*.c.o 2>/dev/null ||
		\$(ls /usr/bin/llvm-nm-* | head -1) '$BATS_TEST_TMPDIR'/*.c.o"
	# What is undefined in one object is defined in another, or one of the three.
	diff - <(comm -23 <(awk 'NF > 1 && $(NF-1) ~ /^[Uw]$/ { print $NF }' <<<"$output" | LC_ALL=C sort -u) \
		<(awk 'NF > 1 && $(NF-1) ~ /^[TtDdBbRr]$/ { print $NF }' <<<"$output" | LC_ALL=C sort -u)) <<-'GOLDEN'
		__errno_location
		dlsym
		getauxval
	GOLDEN
}

# bare [FLAG]: a program without libc and loader, the shim linked in; the environment comes from the kernel.
bare() {
	foreign
	# shellcheck disable=SC2086
	gcc "$@" $FOREIGN -idirafter "/usr/include/$(gcc -print-multiarch)" -nostdlib -static -fno-pic -no-pie \
		-o "$BATS_TEST_TMPDIR/bare" "$ROOT/tests/tools/shim-bare.c" "$ROOT"/preload/*.c
	helper ok
	# without env, which has a shell read what the kernel does not run
	SKL_PORTS=7 SKL_HELPER="$SOCKET" run "$BATS_TEST_TMPDIR/bare"
}

@test "without libc and dlsym: raw system calls, environment from /proc" {
	bare
	says listening
	asked 1 'magic=good version=1 kind=1 length=good .* fds=1 socket=inet/stream/listening/[1-9]'
	diff <(printf 'SKL_HELPER=%s\0SKL_PORTS=7\0' "$SOCKET" | sort -z) <(sort -z "$LOG.text")
}

@test "i386: compiles, links and talks to a 64-bit helper" {
	[ "$(uname -m)" = x86_64 ] || skip 'not an x86-64 machine'
	bare -m32
	if [ "$status" -eq 126 ]; then
		echo '# linked; this kernel runs no 32-bit programs' >&3
		return
	fi
	says listening
	asked 1 'magic=good version=1 kind=1 length=good .* fds=1 socket=inet/stream/listening/[1-9]'
	run env SKL_PORTS=7 SKL_HELPER="$SOCKET.none" "$BATS_TEST_TMPDIR/bare"
	says 'libsklshim: tcp port ' ': No such file or directory: no helper at' 'no listen'
}

@test "the same file serves a musl program" {
	musl-gcc -D_GNU_SOURCE -o "$BATS_TEST_TMPDIR/do" "$ROOT/tests/tools/shim-do.c"
	helper ok 'error:98:tcp port 9: Address already in use: by another'
	shim SKL_PORTS=7 "$BATS_TEST_TMPDIR/do" socket bind listen serve in=thread listen
	says 'listen 0 errno 4242' served 'listen -1 errno 98' 'libsklshim: tcp port 9: Address already in use: by another'
	asked 2 'kind=1 .*socket=inet/stream/listening/'
}

@test "a program under AddressSanitizer" {
	gcc -fsanitize=address -D_GNU_SOURCE -o "$BATS_TEST_TMPDIR/do" "$ROOT/tests/tools/shim-do.c" -pthread
	helper ok
	shim SKL_PORTS=7 ASAN_OPTIONS=verify_asan_link_order=0 "$BATS_TEST_TMPDIR/do" socket bind listen serve
	[ "$status" -eq 0 ]
	says 'listen 0 errno 4242' served
	silent_about ERROR
	asked 1
}

@test "LD_BIND_NOW=1, and two copies of the shim on top of each other" {
	helper ok
	shim_do LD_BIND_NOW=1 socket bind listen serve
	says 'listen 0 errno 4242' served
	asked 1
	cp "$SHIM" "$BATS_TEST_TMPDIR/second.so"
	shim_do LD_PRELOAD="$SHIM $BATS_TEST_TMPDIR/second.so" socket bind listen serve
	says 'listen 0 errno 4242' served
	asked 3 'fds=1'
}

# ---- what is asked ----

@test "every SKL_ variable is forwarded verbatim, nothing else" {
	helper ok
	local variables=('SKL_PORTS=7,77' 'SKL_CIDRS=' $'SKL_NEW= a=b\n\tç' SKL_=x SKL_WAIT=soon "SKL_HELPER=$SOCKET")
	run env -i "${variables[@]}" SKL=1 XSKL_A=1 skl_ports=1 HOME=/SKL_X=1 LD_PRELOAD="$SHIM" "$DO" socket bind listen
	says 'listen 0'
	diff <(printf '%s\0' "${variables[@]}" | sort -z) <(sort -z "$LOG.text")
	asked 1 'magic=good version=1 kind=1 length=good pid=0 .*fds=1 socket=inet/stream/listening/'
}

@test "4 KiB of commas pass" {
	helper ok
	local commas
	commas=$(printf '%4096s' '' | tr ' ' ,)
	shim_do SKL_PORTS="$commas" socket bind listen
	says 'listen 0'
	grep -qzxF "SKL_PORTS=$commas" "$LOG.text"
}

@test "16384 bytes of variables pass, one more is E2BIG and does not reach the helper" {
	helper ok
	local others="SKL_HELPER=$SOCKET SKL_PORTS= SKL_ON_ERROR=fail " ports
	ports=$(printf "%$((16384 - ${#others}))s" '' | tr ' ' 7)
	shim SKL_ON_ERROR=fail SKL_PORTS="$ports" "$DO" socket bind listen
	says 'listen 0'
	[ "$(stat -c %s "$LOG.text")" -eq 16384 ]
	asked 1 length=good

	shim SKL_ON_ERROR=fail SKL_PORTS="${ports}7" "$DO" socket bind listen
	says 'listen -1 errno 7 ' ': Argument list too long: the SKL_* variables take more than 16384 bytes'
	shim SKL_ON_ERROR=warn SKL_PORTS="${ports}7" "$DO" socket bind listen serve
	says 'listen 0 errno 4242' served ': Argument list too long: '
	shim SKL_PORTS="$ports$ports$ports$ports" SKL_ON_ERROR=warn "$DO" socket bind listen
	says 'listen 0 errno 4242' ': Argument list too long: '
	shim SKL_PORTS="$ports$ports" SKL_DISABLE=1 "$DO" socket bind listen
	silent_about libsklshim
	asked 1
}

@test "asks when one of the four wishes is set, also to nothing, and not for the other variables" {
	helper ok
	local wish n=0
	for wish in SKL_PORTS=7 SKL_CIDRS=::1 SKL_BIND=127.0.0.1:7 SKL_SHARE=web SKL_PORTS= SKL_CIDRS= SKL_BIND= SKL_SHARE=; do
		shim "$wish" "$DO" socket bind listen
		says 'listen 0'
		n=$((n + 1))
		asked $n
	done
	shim SKL_FOR=80 SKL_HOLD=3s SKL_ON_ERROR=fail SKL_WAIT=1s SKL_PORT=7 SKL_PORTSX=7 "$DO" socket bind listen
	says 'listen 0 errno 4242'
	asked $n
}

@test "listen asks for IPv4 and IPv6, not for unix sockets" {
	helper ok
	shim_do socket bind listen
	asked 1 'kind=1 .*socket=inet/stream/listening/[1-9]'
	shim_do socket=inet6 bind listen
	asked 2 'kind=1 .*socket=inet6*/stream/listening/[1-9]'
	shim_do socket=unix bind listen
	says 'bind 0' 'listen 0'
	asked 2
}

@test "listen asks for multipath TCP" {
	[[ -e /proc/sys/net/mptcp/enabled ]] || skip "this kernel has no MPTCP"
	helper ok
	shim_do socket=mptcp bind listen
	asked 1
}

@test "listen without bind asks with the port that the kernel chose" {
	helper error:13
	shim_do socket listen
	says 'listen -1 errno 13'
	asked 1 'socket=inet/stream/listening/[1-9]'
	[[ $output =~ 'libsklshim: tcp port '[1-9][0-9]*': Permission denied: the helper gave no reason' ]]
}

@test "bind asks for UDP with an explicit port only" {
	helper ok
	shim_do socket=udp bind=explicit
	says 'bind 0 errno 4242'
	asked 1 'kind=2 .* fds=1 socket=inet/dgram/idle/[1-9]'
	shim_do socket=udp6 bind=explicit
	asked 2 'kind=2 .* fds=1 socket=inet6*/dgram/idle/[1-9]'
	shim_do socket=udp bind
	says 'bind 0 errno 4242'
	shim_do socket bind=explicit
	says 'bind 0 errno 4242'
	shim_do socket=unix bind
	says 'bind 0 errno 4242'
	asked 2
}

@test "what is bound like UDP but is none: raw and ping sockets ask nothing" {
	need_root
	helper ok
	shim_do socket=raw bind=explicit
	says 'bind 0 errno 4242'
	run unshare -n sh -c 'ip link set lo up && echo 0 0 >/proc/sys/net/ipv4/ping_group_range && exec "$@"' sh \
		env SKL_PORTS=7 SKL_HELPER="$SOCKET" LD_PRELOAD="$SHIM" "$DO" socket=ping bind=explicit
	says 'bind 0 errno 4242'
	asked 0
}

@test "a refused UDP bind fails with the helper's errno" {
	helper 'error:22:udp port 5353: Invalid argument: SKL_PORTS covers UDP in a later release'
	shim_do socket=udp bind=explicit
	says 'bind -1 errno 22 ' 'libsklshim: udp port 5353: Invalid argument: SKL_PORTS covers'
}

@test "a real call that fails stays as it is and asks nothing" {
	helper ok
	shim SKL_PORTS=7 "$TOOLS/shim-early"
	says 'failed -1 errno 9'
	shim_do socket=udp bind listen
	says 'listen -1 errno 95'
	shim_do socket=udp bind=explicit bind=explicit
	says 'bind -1 errno 22'
	[ "$(grep -c kind=2 "$LOG")" -eq 1 ]
	[ "$(grep -c kind=1 "$LOG")" -eq 1 ]
}

@test "a program keeps its instance over fork; another has another" {
	helper ok
	shim_do socket bind listen in=fork listen in=vfork listen
	says 'listen 0'
	asked 3
	shim_do socket bind listen
	asked 4
	local instances
	instances=$(grep -o 'instance=[0-9a-f]*' "$LOG" | sort | uniq -c | awk '{ print $1 }' | sort)
	[ "$instances" = $'1\n3' ]
	run ! grep -q 'instance=0000000000000000' "$LOG"
}

# ---- where it is called ----

@test "calls before the shim is loaded are just the real ones" {
	helper ok
	shim SKL_PORTS=7 "$TOOLS/shim-early"
	says 'early 0' 'late 0'
	asked 1
}

@test "environment cleared or overwritten after start" {
	helper ok
	shim_do clearenv socket bind listen serve
	says 'listen 0 errno 4242' served
	asked 1
	shim_do overwrite socket bind listen serve
	says 'listen 0 errno 4242' served
	asked 2
	grep -qzx SKL_PORTS=7,77 "$LOG.text"
}

@test "all descriptors above 2 closed at start, none kept afterwards" {
	helper ok descriptor
	shim_do closefds socket bind fds listen fds in=fork listen in=direct fds
	says 'listen 0 errno 4242'
	asked 2
	[ "$(grep '^fds' <<<"$output" | sort -u | wc -l)" -eq 1 ]
}

@test "in a thread, after fork, in a vfork child, with signals arriving all the time" {
	helper ok
	local place n=0
	for place in thread fork vfork signals; do
		shim_do socket bind in=$place listen in=direct serve
		says 'listen 0 errno 4242' served
		n=$((n + 1))
		asked $n
	done
}

# stack: how much of it the call took, in bytes.
stack() {
	sed -n 's/^stack //p' <<<"$output"
}

@test "in a signal handler, in less than 2 KiB of stack" {
	helper 'ok:a remark' 'error:13:no'
	shim_do socket bind in=signal listen
	says 'listen 0 errno 4242' 'a remark'
	[ "$(stack)" -gt 256 ]
	[ "$(stack)" -lt 2048 ]
	shim_do SKL_DEBUG=1 socket bind in=signal listen
	says 'listen -1 errno 13' 'libsklshim: no'
	[ "$(stack)" -lt 2048 ]
	shim_do SKL_HELPER=/nonexistent socket bind in=signal listen
	says 'listen -1 errno 2'
	[ "$(stack)" -lt 2048 ]
	shim_do SKL_HELPER=/proc/version socket bind in=signal listen
	says 'listen -1 errno 111'
	[ "$(stack)" -lt 2048 ]
	[ "$(id -u)" -ne 0 ] || shim_do uid=65534 socket bind in=signal listen
	says 'listen -1 errno 1'
	[ "$(stack)" -lt 2048 ]
}

@test "listening socket as fd 0, backlog -1, listen called twice" {
	helper ok
	shim_do socket bind move=0 listen=-1 serve
	says 'listen 0 errno 4242' served
	asked 1 'fds=1 socket=inet/stream/listening/'
	shim_do socket bind listen=-1 listen=5 serve
	says served
	silent_about 'listen -1'
	asked 3
}

@test "stderr closed and the listening socket in its place: nothing is written" {
	helper 'error:13:tcp port 9: Permission denied: no' 'ok:remark'
	shim_do close=2 socket bind listen listen
	[ "$status" -eq 0 ]
	says 'listen -1 errno 13' 'listen 0 errno 4242'
	silent_about libsklshim
	asked 2
}

@test "a client in the place of stderr reads nothing of ours" {
	helper ok 'error:13:tcp port 9: Permission denied: no'
	shim_do socket bind listen stderr-to-client
	says 'listen -1 errno 13' 'client read -1'
}

@test "standard streams closed: the request does not travel in their place" {
	helper ok
	run strace -f -o "$BATS_TEST_TMPDIR/trace" -e trace=sendmsg,connect \
		env SKL_PORTS=7 SKL_HELPER="$SOCKET" LD_PRELOAD="$SHIM" "$DO" socket bind move=9 close=0 close=2 listen
	says 'listen 0'
	asked 1
	[ "$(grep -Ec '(connect|sendmsg)\(([3-9]|[1-9][0-9]+),' "$BATS_TEST_TMPDIR/trace")" -eq 2 ]
	[ "$(grep -Ec '(connect|sendmsg)\([0-2],' "$BATS_TEST_TMPDIR/trace")" -eq 0 ]
}

@test "nobody reads stderr any more: no SIGPIPE, none left behind" {
	helper 'error:13:no'
	shim_do socket bind broken-stderr listen pending
	[ "$status" -eq 0 ]
	says 'listen -1 errno 13' 'sigpipe clear open'
}

# ---- what comes back ----

@test "granted: 0, errno untouched, nothing said; remarks are said once" {
	helper ok $'ok:tcp port 9: SKL_PORTS: 22 is held by another\nand 53'
	shim_do socket bind listen
	says 'listen 0 errno 4242'
	silent_about libsklshim
	shim_do socket bind listen listen in=fork listen
	[ "$(grep -c '^libsklshim: tcp port 9: SKL_PORTS: 22 is held by another$' <<<"$output")" -eq 1 ]
	[ "$(grep -c '^libsklshim: and 53$' <<<"$output")" -eq 1 ]
	[ "$(grep -c '^listen 0 errno 4242' <<<"$output")" -eq 3 ]
}

@test "one write for a message of many lines, each with the prefix; control characters are not passed on" {
	local text
	text=$(seq -f 'line %g' 30)$'\e[2J\a'
	helper "error:13:$text"
	run strace -f -e trace=write -e signal=none -s 4096 -o "$BATS_TEST_TMPDIR/trace" \
		env SKL_PORTS=7 SKL_HELPER="$SOCKET" LD_PRELOAD="$SHIM" "$DO" socket bind listen
	[ "$(grep -c 'write(2, "libsklshim' "$BATS_TEST_TMPDIR/trace")" -eq 1 ]
	[ "$(grep -c '^libsklshim: line ' <<<"$output")" -eq 24 ]
	says 'libsklshim: line 24 line 25 line 26' 'line 30?[2J?'
	silent_about $'\e' $'\a'
}

@test "the longest text arrives whole" {
	local text
	text=$(printf '%1024s' '' | tr ' ' t)
	helper "error:13:$text"
	shim_do socket bind listen
	grep -qx "libsklshim: $text" <<<"$output"
	says 'errno 13'
}

@test "SKL_DEBUG says what was asked and what came back" {
	helper ok 'error:98:tcp port 9: Address already in use: by another' 'error:123'
	shim_do SKL_DEBUG=1 socket bind listen
	[[ $output =~ 'libsklshim: tcp port '[1-9][0-9]*": asked $SOCKET: granted" ]]
	shim_do SKL_DEBUG=1 socket bind listen
	says ": asked $SOCKET: Address already in use" 'libsklshim: tcp port 9: Address already in use: by another'
	shim_do SKL_DEBUG=1 socket bind listen
	says ": asked $SOCKET: error 123" ': error 123: the helper gave no reason'
	shim_do SKL_DEBUG=0 SKL_HELPER=/nonexistent socket bind listen
	silent_about asked
	shim_do SKL_DEBUG=1 SKL_HELPER=/nonexistent socket bind listen
	says ': asked /nonexistent: No such file or directory'
}

@test "refused: the helper's errno and sentence" {
	helper 'error:13:tcp port 22: Permission denied: uid 0 may not cover it'
	fails 13 'libsklshim: tcp port 22: Permission denied: uid 0 may not cover it'
}

@test "warn says the same thing once, fail every time" {
	helper 'error:13:no'
	shim_do SKL_ON_ERROR=warn socket bind listen listen
	[ "$(grep -c '^libsklshim: no$' <<<"$output")" -eq 1 ]
	shim_do SKL_ON_ERROR=fail socket bind listen listen
	[ "$(grep -c '^libsklshim: no$' <<<"$output")" -eq 2 ]
	shim_do SKL_ON_ERROR=warning socket bind listen
	says 'listen -1 errno 13'
}

# ---- bad days ----

@test "no helper: ENOENT" {
	fails 2 "No such file or directory: no helper at $SOCKET (start sklhelper, or start the program with skl run)"
}

@test "the default path is asked when SKL_HELPER is empty" {
	run unshare -m true || skip 'needs a mount namespace'
	run unshare -m sh -c 'mount -t tmpfs none /run && exec "$@"' sh \
		env SKL_PORTS=7 SKL_HELPER= LD_PRELOAD="$SHIM" "$DO" socket bind listen
	says 'listen -1 errno 2' 'no helper at /run/skl/helper.sock '
}

@test "a dead socket file: ECONNREFUSED" {
	helper ok
	kill "${PIDS[0]}"
	wait "${PIDS[0]}" || true
	fails 111 "Connection refused: nobody listens at $SOCKET"
}

@test "something else than a helper's socket there" {
	python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
s.bind(sys.argv[1])
time.sleep(30)' "$SOCKET" 3>&- &
	PIDS+=($!)
	until [ -S "$SOCKET" ]; do sleep 0.02; done
	fails 91 'Protocol wrong type for socket: ' 'is SKL_HELPER right?'
}

@test "not permitted to connect: EACCES, naming socket and group" {
	need_root
	helper ok
	shim_do uid=65534 socket bind listen
	says 'listen -1 errno 13' "Permission denied: uid 65534 may not connect to $SOCKET"
	shim_do SKL_ON_ERROR=warn uid=65534 socket bind listen serve
	says 'listen 0 errno 4242' served 'Permission denied'
	asked 0

	# Where the way there is open and only the socket is not, its group can be named.
	local open
	open=$(mktemp -d)
	chmod 755 "$open"
	mv "$SOCKET" "$open/h.sock"
	chgrp 4711 "$open/h.sock"
	chmod 660 "$open/h.sock"
	shim_do SKL_HELPER="$open/h.sock" uid=65534 socket bind listen
	rm -r "$open"
	says 'listen -1 errno 13' "may not connect to $open/h.sock (gid 4711 may: join that group"
}

@test "a silent helper: ETIMEDOUT after 5 seconds, interrupted or not" {
	helper silent
	local before took
	before=$(milliseconds)
	shim_do socket bind in=signals listen
	took=$(($(milliseconds) - before))
	says 'listen -1 errno 110' "Connection timed out: the helper at $SOCKET gave no answer within 5 s"
	[ $took -ge 4900 ] && [ $took -lt $((7000 * SLOW)) ]
	shim_do SKL_ON_ERROR=warn socket bind listen serve
	says 'listen 0 errno 4242' served 'gave no answer'
}

@test "a helper that accepts nobody: ETIMEDOUT after 5 seconds" {
	helper deaf
	sleep 0.2 # until its own connection is the one that waits
	local before took
	before=$(milliseconds)
	shim_do socket bind listen
	took=$(($(milliseconds) - before))
	says 'listen -1 errno 110' "the helper at $SOCKET took no request within 5 s"
	[ $took -ge 4900 ] && [ $took -lt $((7000 * SLOW)) ]
}

@test "a helper that dies in the middle: ECONNRESET" {
	helper hangup
	fails 104 "Connection reset by peer: the helper at $SOCKET hung up without an answer"
}

@test "a helper that dies before reading: ECONNRESET" {
	helper vanish
	shim_do socket bind listen
	says 'listen -1 errno 104' 'hung up without an answer'
	rm "$SOCKET"
	helper vanish
	shim_do SKL_ON_ERROR=warn socket bind listen serve
	says 'listen 0 errno 4242' served 'hung up without an answer'
}

@test "a helper that is gone when the request is sent: ECONNRESET, no SIGPIPE" {
	helper vanish
	run strace -f -o /dev/null -e trace=sendmsg -e inject=sendmsg:delay_enter=200000 \
		env SKL_PORTS=7 SKL_HELPER="$SOCKET" LD_PRELOAD="$SHIM" "$DO" socket bind listen pending
	[ "$status" -eq 0 ]
	says 'listen -1 errno 104' 'hung up without an answer' 'sigpipe clear open'
}

@test "another version: its errno and text if it has any, else EPROTONOSUPPORT" {
	helper version:2:0
	fails 93 "Protocol not supported: $SOCKET speaks another version"
	kill "${PIDS[0]}"
	rm "$SOCKET"
	helper 'version:2:93:tcp port 9: Protocol not supported: version 1 was dropped, update the shim'
	fails 93 'libsklshim: tcp port 9: Protocol not supported: version 1 was dropped, update the shim'
}

@test "nonsense for an answer: EPROTO" {
	local answer
	for answer in garbage short empty oversized miscounted error:-5:x error:4096:x; do
		helper $answer
		if [ $answer = empty ]; then
			fails 104 'hung up'
		else
			fails 71 "Protocol error: $SOCKET answered what no helper would"
		fi
		kill "${PIDS[-1]}"
		rm "$SOCKET"
	done
}

@test "no descriptor left in the program: EMFILE" {
	helper ok
	shim_do socket bind nofile listen
	says 'listen -1 errno 24' 'Too many open files: no descriptor left' 'ulimit -n'
	shim_do SKL_ON_ERROR=warn socket bind nofile listen
	says 'listen 0 errno 4242' 'Too many open files'
	asked 0
}

@test "AF_UNIX forbidden by a filter: EAFNOSUPPORT or EPERM" {
	helper ok
	shim SKL_PORTS=7 "$TOOLS/shim-sandbox" 97 "$DO" socket bind listen
	says 'listen -1 errno 97' 'Address family not supported by protocol: may not make an AF_UNIX socket' \
		RestrictAddressFamilies=AF_UNIX
	shim SKL_PORTS=7 "$TOOLS/shim-sandbox" 1 "$DO" socket bind listen
	says 'listen -1 errno 1 ' 'Operation not permitted: may not make an AF_UNIX socket'
	shim SKL_PORTS=7 SKL_ON_ERROR=warn "$TOOLS/shim-sandbox" 1 "$DO" socket bind listen serve
	says 'listen 0 errno 4242' served
	asked 0
}

@test "after a chroot: ENOENT that says so" {
	need_root
	helper ok
	mkdir "$BATS_TEST_TMPDIR/root"
	shim_do chroot="$BATS_TEST_TMPDIR/root" socket bind listen
	says 'listen -1 errno 2' "the program changed its root directory, which puts $SOCKET out of reach" 'skl attach'
	shim_do SKL_ON_ERROR=warn chroot="$BATS_TEST_TMPDIR/root" socket bind listen serve
	says 'listen 0 errno 4242' served 'changed its root directory'
	# A chroot to where one is already changes nothing.
	shim_do chroot=/ socket bind listen
	says 'listen 0 errno 4242'
	asked 1
}

@test "a listener on a further port, after the program has shut itself off from the helper, is left alone" {
	need_root
	helper ok
	mkdir "$BATS_TEST_TMPDIR/root"
	# as an FTP server's session does; it is said once
	shim_do socket bind listen chroot="$BATS_TEST_TMPDIR/root" socket bind listen serve socket bind listen serve
	says 'listen 0 errno 4242' served \
		'libsklshim: tcp: further sockets of this program are left alone: No such file or directory: the program changed its root'
	[ "$(grep -c libsklshim <<<"$output")" -eq 1 ]
	[ "$(grep -c 'listen 0 errno 4242' <<<"$output")" -eq 3 ]
	# what has not been granted before is not
	shim_do chroot="$BATS_TEST_TMPDIR/root" socket bind listen
	says 'listen -1 errno 2'
	asked 1
	# nor is one on the granted port
	shim_do socket bind listen chroot="$BATS_TEST_TMPDIR/root" listen
	says 'listen -1 errno 2' 'tcp port '
	asked 2
}

@test "a listener on a further port, with a helper that is gone: not left alone" {
	helper ok hangup
	shim_do socket bind listen socket bind listen
	says 'listen 0 errno 4242' 'listen -1 errno 104' 'hung up'
}

@test "SKL_HELPER too long for a socket's path: ENAMETOOLONG" {
	local path
	path=/$(printf '%107s' '' | tr ' ' p)
	shim_do SKL_HELPER="$path" socket bind listen
	says 'listen -1 errno 36' 'File name too long: SKL_HELPER is longer than the 107 bytes'
	shim_do SKL_HELPER="${path%p}" socket bind listen
	says 'listen -1 errno 2'
}

@test "SKL_WAIT: the helper comes 300 ms later" {
	local before took wait
	for wait in 5s 5000ms 1m 5; do
		before=$(milliseconds)
		(
			exec 3>&-
			sleep 0.3
			exec timeout 10 "$TOOLS/fake-helper" "$SOCKET" "$LOG" ok
		) &
		PIDS+=($!)
		shim_do SKL_WAIT=$wait socket bind listen
		took=$(($(milliseconds) - before))
		says 'listen 0 errno 4242'
		[ $took -ge 290 ] && [ $took -lt $((2000 * SLOW)) ]
		kill "${PIDS[-1]}"
		rm "$SOCKET"
	done
	asked 4
}

@test "SKL_WAIT: the helper never comes, or the time is none" {
	local before took wait
	before=$(milliseconds)
	shim_do SKL_WAIT=400ms socket bind listen
	took=$(($(milliseconds) - before))
	says 'listen -1 errno 2'
	[ $took -ge 400 ] && [ $took -lt $((2000 * SLOW)) ]
	before=$(milliseconds)
	for wait in '' s ms 5h '5 s' ' 5' -5 1.5s 5sx 0x5 99999999999999999999s 0; do
		shim_do SKL_WAIT="$wait" socket bind listen
		says 'listen -1 errno 2'
	done
	took=$(($(milliseconds) - before))
	[ $took -lt $((4000 * SLOW)) ]
}

# ---- not asked ----

# calls_of FILE [VARIABLE=VALUE]...: to FILE the system calls from before listen to after it, numbers aside.
calls_of() {
	local file=$BATS_TEST_TMPDIR/$1
	shift
	strace -o "$file.all" env "$@" "$DO" socket bind say=BEFORE listen say=AFTER >/dev/null
	sed -n '/^write(1, "BEFORE/,/^write(1, "AFTER/p' "$file.all" | sed -E 's/0x[0-9a-f]+|[0-9]+/N/g' >"$file"
	grep -q '^listen(N, N)' "$file"
}

@test "without SKL_ variables, or disabled: not one more system call" {
	helper ok
	cd "$BATS_TEST_TMPDIR"
	calls_of plain A=1
	calls_of no-wish LD_PRELOAD="$SHIM"
	diff plain no-wish
	calls_of others LD_PRELOAD="$SHIM" SKL_FOR=80 SKL_HELPER="$SOCKET"
	diff plain others
	calls_of disabled LD_PRELOAD="$SHIM" SKL_PORTS=7 SKL_HELPER="$SOCKET" SKL_DISABLE=1
	diff plain disabled
	# The comparison does see a difference where there is one.
	calls_of asking LD_PRELOAD="$SHIM" SKL_PORTS=7 SKL_HELPER="$SOCKET"
	run -1 diff plain asking
	says sendmsg recvmsg
	asked 1
}

@test "SKL_DISABLE: anything but empty and 0" {
	helper ok
	local value
	for value in 1 yes 00 no; do
		shim_do SKL_DISABLE=$value SKL_DEBUG=1 socket bind listen serve
		says 'listen 0 errno 4242' served
		silent_about libsklshim
	done
	asked 0
	shim_do SKL_DISABLE=0 socket bind listen
	shim_do SKL_DISABLE= socket bind listen
	asked 2
}

@test "inert in a program with more rights than its user" {
	need_root
	run unshare -m --propagation private bash -ec '
		mount -t tmpfs -o mode=755 none /mnt
		cp -a /etc /mnt/etc
		cp "$1" /mnt/libsklshim.so
		cp "$2" /mnt/do
		echo /mnt/libsklshim.so >/mnt/etc/ld.so.preload
		mount --bind /mnt/etc /etc
		"$3" /mnt/h.sock "$4" ok 3>&- &
		helper=$!
		trap "kill $helper" EXIT
		while ! [ -S /mnt/h.sock ]; do sleep 0.02; done
		chmod 777 /mnt/h.sock
		export SKL_PORTS=7 SKL_HELPER=/mnt/h.sock
		setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/do say=ordinary socket bind listen
		wc -l <"$4"
		chmod u+s /mnt/do
		setpriv --reuid 65534 --regid 65534 --clear-groups /mnt/do say=setuid socket bind listen
		wc -l <"$4"
	' bash "$SHIM" "$DO" "$TOOLS/fake-helper" "$LOG"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == ordinary*'listen 0 errno 4242'*$'\n1\nsetuid\n'*'listen 0 errno 4242'*$'\n1' ]]
}
