#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck disable=SC2016 # for jq and the inner shell
#
# skl run, supervised: programs that preload cannot reach get what others get.

setup() {
  bats_require_minimum_version 1.5.0
  load ../lib/skl
  load ../lib/udp
  skl_setup
}

teardown() {
  skl_teardown
}

# static_build NAME [FLAG...]: a tool of the tests, statically linked.
static_build() {
  musl-gcc -static -O1 -o "$T/$1" "$ROOT/tests/tools/$1.c" -D_GNU_SOURCE -idirafter /usr/include \
    -idirafter "/usr/include/$(gcc -print-multiarch)" "${@:2}"
}

# supervised [VAR=VALUE...] -- OPTION... -- PROGRAM [ARG]...: in the background.
supervised() {
  spawn "$SKL" run "$@"
}

supervisors() {
  pgrep -x skl-supervise --ns "$HOLDER" --nslist net
}

no_supervisor() {
  ! supervisors >/dev/null
}

@test "a static musl server: covered, same PID, its own child only, and the supervisors leave with it" {
  static_build srv-listen
  start_helper
  supervised -p 7,77,8000-8099 -- /run/test/srv-listen plain 8080
  local server=$SPAWNED
  wait_port 77
  answers 127.0.0.1 7 77 8050 8080
  [ "$(cat "/proc/$server/comm")" = srv-listen ]
  [ -z "$(cat "/proc/$server/task/$server/children")" ]
  ns "$SKL" status -j | jq -e ".listeners[0] | .pid == $server and .program == \"srv-listen\""
  grep -q "^Seccomp:.*2" "/proc/$server/status"
  stop "$server"
  wait_until no_supervisor
  wait_refused 127.0.0.1 7
}

@test "ps shows whom the supervisors are for, also where the command line was short" {
  local pid

  static_build srv-listen
  spawn "$SKL" run -p 7 --bind 127.0.0.2/32:8 -- /run/test/srv-listen plain 8080
  wait_port 7
  for pid in $(supervisors); do
    [ "$(ps -o args= -p "$pid" | sed 's/ *$//')" = "skl: supervises $SPAWNED (srv-listen)" ]
  done
  answers 127.0.0.2 8
  stop "$SPAWNED"
  wait_until no_supervisor
  ns ln -s "$SKL" /run/skl.1
  ns ln -s /run/test/srv-listen /run/x
  spawn env -C /run PATH=/run ./skl.1 run -p7 x plain 99
  wait_port 7
  for pid in $(supervisors); do
    [[ "$(ps -o args= -p "$pid" | sed 's/ *$//')" == "skl: supervises $SPAWNED"* ]]
  done
  [ "$(pgrep -fc "^skl: supervises $SPAWNED" --ns "$HOLDER" --nslist net)" -eq 2 ]
}

@test "a static glibc server, a static-pie one, and a script that starts one" {
  start_helper
  gcc -static -o "$T/glibc" "$ROOT/examples/legacy-server.c" -pthread
  supervised -p 7 -- /run/test/glibc 8081
  wait_port 7
  answers 127.0.0.1 7 8081
  gcc -static-pie -o "$T/pie" "$ROOT/examples/legacy-server.c" -pthread
  supervised -p 77 -- /run/test/pie 8082
  wait_port 77
  printf '#!/bin/sh\nexec /run/test/glibc 8084\n' >"$T/shell"
  chmod +x "$T/shell"
  supervised --supervise -p 777 -- /run/test/shell
  wait_port 777
  answers 127.0.0.1 7 77 777
}

@test "what Go's linker leaves in a program is seen, and a dynamic program can be asked to be supervised" {
  start_helper
  gcc -o "$T/go" -x c - <<<'
    __asm__(".pushsection .note.go.buildid, \"a\", @note\n.long 4, 8, 4\n.ascii \"Go\\0\\0\"\n.ascii \"abcdefgh\"\n.popsection");
    #include <stdlib.h>
    int main(void) { return getenv("LD_PRELOAD") ? 1 : 42; }'
  run ns "$SKL" run -p 7 -- /run/test/go
  [ "$status" -eq 42 ]
  [ -z "$output" ]
  supervised --supervise -p 7,77 -- "$BUILD/tests/srv-listen" plain 8080
  wait_port 77
  answers 127.0.0.1 7 77 8080
  run ! grep -q libsklshim "/proc/$SPAWNED/maps"
}

@test "exit status, signals, files, environment and a program that makes no socket" {
  run ns "$SKL" run --supervise -p 7 -- sh -c 'echo out; echo err >&2; exit 42'
  [ "$status" -eq 42 ]
  [ "$output" = $'out\nerr' ]
  run ns "$SKL" run --supervise -p 7 -- sh -c 'kill -TERM $$'
  [ "$status" -eq 143 ]
  [ "$(echo in | ns "$SKL" run --supervise -p 7 -- cat)" = in ]
  run ns "$SKL" run --supervise -p 7 -- /run/test/nothing
  [ "$status" -eq 127 ]
  wait_until no_supervisor
  wait_until helper_left
}

@test "its listen() fails with the errno of the refusal and the sentence; with --warn it goes on" {
  static_build srv-listen
  start_helper --mode 0666
  run as 1001 timeout 10 "$SKL" run -p 22 -- /run/test/srv-listen plain 8080
  [ "$status" -eq 13 ]
  says "skl: tcp port 22: Permission denied: uid 1001 may not cover ports below 1024"
  # the log names the program, and who asked for it
  grep -Eq 'uid 1001 pid [0-9]+ \(srv-listen\), asked by pid [0-9]+ \(skl-supervise\) .*: refused: tcp port 22' "$T/helper.log"
  spawn setpriv --reuid 1001 --regid 1001 --clear-groups --inh-caps=-all -- \
    "$SKL" run --warn -p 22 -- /run/test/srv-listen plain 8080
  wait_port 8080
  wait_log "tcp port 22: Permission denied"
  refused 127.0.0.1 22
}

@test "an ordinary user: covered, and no new rights for what it starts" {
  static_build srv-listen
  start_helper --mode 0666
  spawn setpriv --reuid 1001 --regid 1001 --clear-groups --inh-caps=-all -- \
    "$SKL" run -p 7777 -- /run/test/srv-listen plain 8080
  wait_port 7777
  answers 127.0.0.1 7777 8080
  grep -q "^NoNewPrivs:.*1" "/proc/$SPAWNED/status"
  # root's program loses nothing
  supervised -p 7778 -- /run/test/srv-listen plain 8081
  wait_port 7778
  grep -q "^NoNewPrivs:.*0" "/proc/$SPAWNED/status"
}

@test "UDP: bind() is done for the program, with its errors, and answers are right" {
  static_build udp-serve
  start_helper
  supervised -p 7,77 -- /run/test/udp-serve echo 5353
  wait_bound 5353
  wait_until udp_echoes 127.0.0.1 77
  udp_echoes 127.0.0.1 5353
  run ns "$SKL" run -p 9 -- /run/test/udp-serve echo 5353
  [ "$status" -eq 98 ]
  run ns "$SKL" run -p 9 -- /run/test/udp-serve echo 5354 203.0.113.1
  [ "$status" -eq 99 ]
}

@test "a program that gave up its rights gets none back by bind()" {
  start_helper
  cat >"$T/drop.c" <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(53), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = socket(AF_INET, argc > 1 ? SOCK_STREAM : SOCK_DGRAM, 0);
	if (setgid(65534) < 0 || setuid(65534) < 0)
		return 1;
	if (argc > 1) {
		a.sin_port = htons(8080);
		return bind(s, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(s, 5) == 0 ? 42 : errno;
	}
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) == 0)
		return 2;
	if (errno != EACCES)
		return 3;
	a.sin_port = htons(5353); /* which needs none */
	return bind(s, (struct sockaddr *)&a, sizeof(a)) == 0 ? 42 : errno;
}
C
  musl-gcc -static -o "$T/drop" "$T/drop.c"
  run ns "$SKL" run -p 7 -- /run/test/drop
  [ "$status" -eq 42 ]
  says "it has other rights than when it was started: its UDP port 53 is not covered"
  # in another network namespace, which rights are needed there is not known, nor what a claim of ours may
  run ns unshare -n sh -c 'echo 0 >/proc/sys/net/ipv4/ip_unprivileged_port_start && ip link set lo up && exec "$@"' - \
    "$SKL" run --supervise -p 7 -- nsenter "--net=/proc/$HOLDER/ns/net" /run/test/drop
  [ "$status" -eq 42 ]
  says "its UDP port 53 is not covered" "its UDP port 5353 is not covered"
  run ns "$SKL" run --supervise -p 7 -- unshare -n /run/test/drop listen
  [ "$status" -eq 42 ]
  says "its socket is in another network namespace: it is not covered"
  run ns "$SKL" run --supervise -p 7 -- /run/test/drop listen
  [ "$status" -eq 42 ]
  [ -z "$output" ]
}

@test "a process is gone and its number is another's: nothing is done with that one's rights, and nobody waits for its page" {
  start_helper
  run ns timeout $((20 * ${TESTS_SLOW:-1})) "$SKL" run --supervise -p 7 -- "$BUILD/tests/late-page"
  [ "$status" -eq 0 ]
  says "bound to port 0"
}

@test "forks, threads and exec stay supervised; a direct system call is seen" {
  start_helper
  cat >"$T/direct.c" <<'C'
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static int make(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 || syscall(SYS_listen, s, 16) < 0)
		_exit(1);
	return s;
}
static void *thread(void *port)
{
	make((int)(long)port);
	return NULL;
}
int main(int argc, char **argv)
{
	pthread_t t;
	if (argc > 1) {
		make(atoi(argv[1]));
	} else if (fork() == 0) {
		execl("/proc/self/exe", "direct", "8083", NULL);
	} else if (fork() == 0) {
		make(8082);
	} else {
		pthread_create(&t, NULL, thread, (void *)8081L);
		pthread_join(t, NULL);
	}
	pause();
}
C
  musl-gcc -static -pthread -o "$T/direct" "$T/direct.c"
  spawn env SKL_FOR=8081,8082,8083 SKL_BIND="127.0.1.0/24:8081 127.0.2.0/24:8082 127.0.3.0/24:8083" \
    "$SKL" run -- /run/test/direct
  wait_until ns sh -c "\"$SKL\" status -j | jq -e '[.listeners[].port] | sort == [8081, 8082, 8083]'"
}

@test "a process that does not let its socket be taken: what is not for us goes on, its listen() fails clearly" {
  start_helper --mode 0666
  cat >"$T/closed.c" <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <unistd.h>
int main(void)
{
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	struct sockaddr_nl n = {.nl_family = AF_NETLINK};
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	prctl(PR_SET_DUMPABLE, 0);
	for (int i = 0; i < 2; i++) {
		if (bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&u, sizeof(u.sun_family)) < 0)
			return 1;
		if (bind(socket(AF_NETLINK, SOCK_RAW, 0), (struct sockaddr *)&n, sizeof(n)) < 0)
			return 2;
	}
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) < 0)
		return 3;
	return listen(s, 5) == 0 ? 42 : 100 + errno;
}
C
  musl-gcc -static -o "$T/closed" -idirafter /usr/include -idirafter "/usr/include/$(gcc -print-multiarch)" "$T/closed.c"
  local yama
  yama=$(cat /proc/sys/kernel/yama/ptrace_scope 2>/dev/null) || yama=0
  run as 1001 timeout 10 "$SKL" run -p 7777 -- /run/test/closed
  [ "$status" -eq 101 ]
  says "its socket cannot be taken: " "if it is one of UDP, it is not covered"
  if ((yama > 0)); then
    says "kernel.yama.ptrace_scope"
  else
    says "it is not dumpable"
    [[ $output != *yama* ]]
  fi
  run as 1001 timeout 10 "$SKL" run --warn -p 7777 -- /run/test/closed
  [ "$status" -eq 42 ]
  # each is said once
  (($(grep -c "if it is one of UDP" <<<"$output") == 1))
  # root may look at everything
  run ns timeout 10 "$SKL" run -p 7 -- /run/test/closed
  [ "$status" -eq 42 ]
  [ -z "$output" ]
}

@test "a thread whose files are not those of the first one: its socket is taken, and no other" {
  start_helper
  cat >"$T/files.c" <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
static int make(int port)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	return bind(s, (struct sockaddr *)&a, sizeof(a)) == 0 ? s : -1;
}
static void *alone(void *unused) /* the first thread is gone */
{
	sleep(1);
	int s = make(8080);
	dprintf(2, "listen %d\n", listen(s, 5) == 0 ? 0 : errno);
	for (;;)
		close(accept(s, NULL, NULL));
}
static void *apart(void *first) /* its number is that of another one in the first thread */
{
	unshare(CLONE_FILES);
	close((int)(long)first);
	int s = make(8081);
	dprintf(2, "same number %d\n", s == (int)(long)first);
	dprintf(2, "listen %d\n", listen(s, 5) == 0 ? 0 : errno);
	for (;;)
		close(accept(s, NULL, NULL));
}
int main(int argc, char **argv)
{
	int s;
	socklen_t length = sizeof(int);
	pthread_t t;
	if (argc == 1) {
		pthread_create(&t, NULL, alone, NULL);
		pthread_exit(NULL);
	}
	s = make(8082);
	pthread_create(&t, NULL, apart, (void *)(long)s);
	sleep(2);
	getsockopt(s, SOL_SOCKET, SO_ACCEPTCONN, &argc, &length);
	dprintf(2, "the other one listens %d\n", argc);
	pause();
}
C
  gcc -D_GNU_SOURCE -pthread -o "$T/files" "$T/files.c"
  supervised --supervise -p 7 -- /run/test/files
  wait_log "listen"
  if kernel_before 6 9; then
    grep -q "listen 95" "$LOG"
    grep -q "its thread has files of its own" "$LOG"
  else
    wait_port 7
  fi
  supervised --supervise -p 77 -- /run/test/files apart
  wait_log "the other one listens 0"
  grep -q "same number 1" "$LOG"
  if kernel_before 6 9; then
    grep -q "listen 95" "$LOG"
  else
    wait_port 77
  fi
}

@test "MPTCP: the program falls back to TCP, and is covered" {
  needs_mptcp
  start_helper
  ns sh -c 'echo 1 >/proc/sys/net/mptcp/enabled'
  static_build srv-listen
  cat >"$T/fallback.c" <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>
int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
	int s = socket(AF_INET, SOCK_STREAM, 262);
	if (s >= 0 || errno != EPROTONOSUPPORT)
		return 1;
	s = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s, 5) < 0)
		return errno;
	for (;;)
		close(accept(s, NULL, NULL));
}
C
  musl-gcc -static -o "$T/fallback" "$T/fallback.c"
  supervised -p 7 -- /run/test/fallback
  wait_port 7
}

# later: listens on 8080 when SIGUSR1 tells it to, and ends with 42 or the errno.
later_build() {
  cat >"$T/later.c" <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <unistd.h>
int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	sigset_t set;
	int number;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	bind(s, (struct sockaddr *)&a, sizeof(a));
	sigwait(&set, &number);
	return listen(s, 5) == 0 ? 42 : errno;
}
C
  musl-gcc -static -o "$T/later" "$T/later.c"
}

@test "MPTCP: a socket that was inherited is refused with a sentence" {
  needs_mptcp
  start_helper
  ns sh -c 'echo 1 >/proc/sys/net/mptcp/enabled'
  cat >"$T/inherit.c" <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
	if (argc == 1)
		return listen(9, 5) == 0 ? 42 : errno;
	int s = socket(AF_INET, SOCK_STREAM, 262);
	if (dup2(s, 9) < 0 || bind(9, (struct sockaddr *)&a, sizeof(a)) < 0)
		return 1;
	execv(argv[1], argv + 1);
}
C
  musl-gcc -static -o "$T/inherit" "$T/inherit.c"
  run ns /run/test/inherit "$SKL" run -p 7 -- /run/test/inherit
  [ "$status" -eq 95 ]
  says MPTCP
  run ns /run/test/inherit "$SKL" run --warn -p 7 -- /run/test/inherit
  [ "$status" -eq 42 ]
  says MPTCP
}

@test "the supervisor that works is killed: the program goes on, a new listen() fails clearly or goes on uncovered" {
  start_helper
  static_build srv-listen
  supervised -p 7 -- /run/test/srv-listen plain 8080
  wait_port 7
  kill -KILL "$(supervisors | sort -n | tail -n 1)"
  answers 127.0.0.1 7 8080
  stop "$SPAWNED"
  wait_until no_supervisor

  later_build
  for how in "111 " "42 --warn"; do
    # shellcheck disable=SC2086 # an option, or none
    spawn sh -c '"$0" run "$@"; echo "ended with $?"' "$SKL" ${how#* } -p 7 -- /run/test/later
    wait_until two_supervisors
    kill -KILL "$(supervisors | sort -n | tail -n 1)"
    wait_until one_supervisor
    kill -USR1 "$(pgrep -x later --ns "$HOLDER" --nslist net)"
    wait_log "ended with ${how%% *}"
    wait_log "its supervisor has ended"
    wait_until no_supervisor
  done
}

not_listening() { ! listens "$1"; }
two_supervisors() { (($(supervisors | wc -l) == 2)) && pgrep -x later --ns "$HOLDER" --nslist net; }
one_supervisor() { (($(supervisors | wc -l) == 1)); }

@test "the supervisor that works is killed while it answers: the other one finishes that" {
  later_build
  SKL_WAIT=1h spawn sh -c '"$0" run "$@"; echo "ended with $?"' "$SKL" --supervise -p 7 -- /run/test/later
  wait_until two_supervisors
  kill -USR1 "$(pgrep -x later --ns "$HOLDER" --nslist net)"
  wait_listen 8080
  kill -KILL "$(supervisors | sort -n | tail -n 1)"
  wait_log "ended with 111"
  wait_log "its supervisor has ended"
  wait_until no_supervisor
}

@test "signals to all that the user has do not end its supervisors, and one of the two is enough" {
  start_helper
  later_build
  local how
  for how in HUP TERM INT QUIT USR1 ALRM XFSZ XCPU waiter; do
    spawn sh -c '"$0" run "$@"; echo "ended with $?"' "$SKL" -p 7 -- /run/test/later
    wait_until two_supervisors
    if [ "$how" = waiter ]; then
      kill -KILL "$(supervisors | sort -n | head -n 1)"
      wait_until one_supervisor
    else
      # shellcheck disable=SC2046 # a list
      kill "-$how" $(supervisors)
    fi
    kill -USR1 "$(pgrep -x later --ns "$HOLDER" --nslist net)"
    wait_log "ended with 42"
    run ! grep -q "not covered" "$LOG"
    wait_until no_supervisor
  done
}

@test "who waits for a helper keeps nobody else waiting, and no port when it is killed" {
  cat >"$T/waits.c" <<'C'
#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/un.h>
#include <unistd.h>
static void *covered(void *unused)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	bind(s, (struct sockaddr *)&a, sizeof(a));
	listen(s, 5);
	return NULL;
}
int main(void)
{
	struct sockaddr_un u = {.sun_family = AF_UNIX};
	pthread_t t;
	pthread_create(&t, NULL, covered, NULL);
	usleep(500000);
	dprintf(2, "bind %d\n", bind(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&u, sizeof(u.sun_family)));
	pause();
}
C
  musl-gcc -static -pthread -o "$T/waits" "$T/waits.c"
  # the shell stays, and so do its supervisors
  SKL_WAIT=1h spawn "$SKL" run --supervise -p 7 -- sh -c '/run/test/waits; sleep 1000'
  wait_log "bind 0"
  wait_listen 8080
  kill -KILL "$(pgrep -x waits --ns "$HOLDER" --nslist net)"
  wait_until not_listening 8080
  (($(supervisors | wc -l) == 2))

  # the same with a helper that is there and does not answer
  start_helper
  spawn "$SKL" run --supervise -p 77 -- sh -c 'until [ -e /run/test/go ]; do sleep 0.05; done; /run/test/waits; sleep 1000'
  wait_until four_supervisors
  kill -STOP "$HELPER"
  touch "$T/go"
  wait_log "bind 0"
  local before=$SECONDS
  kill -KILL "$(pgrep -x waits --ns "$HOLDER" --nslist net)"
  wait_until supervisors_keep_four 4
  kill -CONT "$HELPER"
  ((SECONDS - before < 6 * ${TESTS_SLOW:-1})) # a claim is waited for ten seconds
}

four_supervisors() { (($(supervisors | wc -l) == 4)); }

@test "a /proc that is not there, or is another PID namespace's: said, and refused" {
  start_helper
  static_build srv-listen
  local how
  for how in 'unshare -p -f "$0" "$@"' 'unshare -m sh -c '\''mount -t tmpfs none /proc; exec "$0" "$@"'\'' "$0" "$@"'; do
    # a sanitizer's run time needs one
    ! { instrumented && [[ $how == *tmpfs* ]]; } || continue
    run ns timeout 10 sh -c "$how" "$SKL" run --supervise -p 7 -- /run/test/srv-listen plain 8080
    [ "$status" -eq 125 ]
    says "it cannot be supervised: /proc does not show this PID namespace: mount it there"
    run ns timeout 10 sh -c "$how" "$SKL" run --supervise --warn -p 7 -- sh -c 'exit 42'
    [ "$status" -eq 42 ]
    says "it runs without coverage"
  done
  # and one that is hidden later
  run ns timeout 10 unshare -m "$SKL" run --supervise -p 7 -- \
    sh -c 'mount -t tmpfs none /proc; exec "$0" plain 8080' "$BUILD/tests/srv-listen"
  [ "$status" -eq 1 ]
  says "its socket cannot be taken: /proc does not show it" "Operation not permitted"
}

@test "started with SIGCHLD ignored" {
  run ns env --ignore-signal=CHLD "$SKL" run --supervise -p 7 -- sh -c 'exit 42'
  [ "$status" -eq 42 ]
  [ -z "$output" ]
}

@test "files that are open above a lowered limit: the supervisors keep none" {
  spawn bash -c 'exec 3>&- 4>&- 200>/dev/null 500>/dev/null; ulimit -Sn 100; exec "$0" run --supervise -p 7 -- sleep 1000' "$SKL"
  wait_until supervisors_keep_four 2
}

# supervisors_keep_four N: each of so many has four files open, and no others.
supervisors_keep_four() {
  local pid n=0

  for pid in $(supervisors); do
    [[ $(find "/proc/$pid/fd" -mindepth 1 -printf '%f\n' | sort -n | tr '\n' ' ') == "0 1 2 3 " ]] || return 1
    n=$((n + 1))
  done
  ((n == $1))
}

@test "a program that is PID 1, or adopts orphans, waits for its own children only" {
  start_helper # else it is one of them
  cat >"$T/waits.c" <<'C'
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	if (argc > 1) {
		prctl(PR_SET_CHILD_SUBREAPER, 1);
		execv(argv[1], argv + 1);
	}
	if (fork() == 0)
		return 0;
	while (wait(NULL) > 0)
		;
	return 42;
}
C
  musl-gcc -static -o "$T/waits" "$T/waits.c"
  run ns timeout -s KILL $((5 * ${TESTS_SLOW:-1})) unshare -p -f --kill-child --mount-proc "$SKL" run -p 7 -- /run/test/waits
  [ "$status" -eq 42 ]
  run ns timeout -s KILL $((5 * ${TESTS_SLOW:-1})) /run/test/waits "$SKL" run -p 7 -- /run/test/waits
  [ "$status" -eq 42 ]
  wait_until no_supervisor
}

@test "stderr is a pipe that nobody reads: the call is answered all the same" {
  start_helper --mode 0666
  cat >"$T/listens.c" <<'C'
#include <arpa/inet.h>
#include <errno.h>
int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(8080)};
	int s = socket(AF_INET, SOCK_STREAM, 0);
	bind(s, (struct sockaddr *)&a, sizeof(a));
	return listen(s, 5) == 0 ? 42 : errno;
}
C
  musl-gcc -static -o "$T/listens" "$T/listens.c"
  cat >"$T/full.py" <<'PY'
import os, subprocess, sys
r, w = os.pipe()
os.set_blocking(w, False)
try:
    while True:
        os.write(w, b"x" * 4096)
except BlockingIOError:
    os.set_blocking(w, True)
sys.exit(subprocess.run(sys.argv[1:], stderr=w).returncode)
PY
  run as 1001 timeout $((10 * ${TESTS_SLOW:-1})) python3 /run/test/full.py "$SKL" run --supervise -p 22 -- /run/test/listens
  [ "$status" -eq 13 ]
}

@test "a program that would lose the rights that it gains is not supervised" {
  start_helper --mode 0666
  ns cp "$(command -v id)" /run/setuid
  ns chmod 4755 /run/setuid
  run as 1001 "$SKL" run --supervise -p 7777 -- /run/setuid -u
  [ "$status" -eq 125 ]
  says "/run/setuid: it is setuid"
  run as 1001 "$SKL" run --supervise --warn -p 7777 -- /run/setuid -u
  [ "$status" -eq 0 ]
  says "it is setuid" "it runs without coverage"
  [ "${lines[-1]}" = 0 ]
  run ns "$SKL" run --supervise -p 7 -- setpriv --reuid 1001 --inh-caps=-all --bounding-set=+all /run/setuid -u
  [ "$status" -eq 0 ]
  [ "$output" = 0 ]
  # of a kind for which there is no shim: it is not supervised instead
  ns python3 -c '
f = open("/run/setuid", "r+b"); f.seek(18); f.write(b"\x08\x00")'
  run as 1001 "$SKL" run -p 7777 -- /run/setuid
  [ "$status" -eq 125 ]
  says "/run/setuid: it is setuid"
}

@test "two at once: said, and refused" {
  run ns "$SKL" run --supervise -p 7 -- "$SKL" run --supervise -p 77 -- true
  [ "$status" -eq 125 ]
  says "supervised already"
}

@test "a share cannot be had without the shim: said, and refused" {
  static_build srv-listen
  run ns "$SKL" run --share web -p 7 -- /run/test/srv-listen plain 8080
  [ "$status" -eq 125 ]
  says "not shared"
}

@test "an interval timer that interrupts the calls" {
  start_helper
  cat >"$T/ticks.c" <<'C'
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <sys/time.h>
#include <unistd.h>
static void tick(int n) {}
int main(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct itimerval often = {{0, MICROSECONDS}, {0, MICROSECONDS}};
	struct sigaction action = {.sa_handler = tick, .sa_flags = SA_RESTART};
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < 50; i++) {
		int u = socket(AF_INET, SOCK_DGRAM, 0), s = socket(AF_INET, SOCK_STREAM, 0);
		a.sin_port = htons(20000 + i);
		if (bind(u, (struct sockaddr *)&a, sizeof(a)) < 0)
			return errno;
		if (bind(s, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(s, 1) < 0)
			return errno;
		close(u);
		close(s);
	}
	return 42;
}
C
  # before Linux 5.19 the kernel asks again after each signal: it must not come faster than the answer
  local often=100
  [ "$(printf '%s\n' 5.19 "$(uname -r)" | sort -V | head -n 1)" = 5.19 ] || often=50000
  musl-gcc -static "-DMICROSECONDS=$often" -o "$T/ticks" "$T/ticks.c"
  run ns timeout $((20 * ${TESTS_SLOW:-1})) "$SKL" run -p 7777 -- /run/test/ticks
  [ "$status" -eq 42 ]
}
