#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
# A server in a container, without any privilege; the helper on the host; a client across the container's network.
# The wiring is that of the examples: read from their files, and done.

setup() {
  bats_require_minimum_version 1.5.0
  load ../lib/skl
  load ../lib/container
  skl_setup
  EXAMPLES=/run/src/examples
}

teardown() {
  skl_teardown
}

# installed: the shim, as make install puts it, at /usr/local
installed() {
  make -s -C "$ROOT" -o all B="${BUILD#/run/src/}" install DESTDIR="$T/root" >/dev/null
  ns mount --bind /run/test/root/usr/local /usr/local
}

# covered ADDRESS PORT...: the server in the container says so, soon
covered() {
  wait_until answers "$1" "$2"
  answers "$@"
}

# listed: skl status on the host names it, by the user that it is there
listed() {
  ns "$SKL" status -j | jq -e --arg user "$CONTAINER_USER" '.listeners | length == 1 and (.[0].uid | tostring) == $user'
}

@test "the entry point of examples/container, around a program that knows nothing of it" {
  installed
  start_container_helper
  container "${SYSTEM[@]}" --ro-bind /usr/local/lib/skl /opt/skl --ro-bind "$EXAMPLES/container/entrypoint" /opt/entry/entrypoint \
    --ro-bind /usr/local/lib/skl/libsklshim.so /opt/entry/libsklshim.so --ro-bind /run/skl /run/skl \
    --ro-bind "$BUILD/examples/legacy-server" /server \
    --setenv SKL_PORTS 8001,8100-8199 --setenv SKL_CIDRS "$EXTRA" -- /opt/entry/entrypoint /server 8000 "$CONTAINER"
  covered "$CONTAINER" 8001 8000 8150
  covered "$EXTRA" 8000 8001 8199
  is_confined
  listed
  refused "$CONTAINER" 8002
  # the container's ports are not the host's
  refused 127.0.0.1 8001
  # the end of the container is the end of its coverage
  kill "$SPAWNED"
  wait_until gone "$SPAWNED"
  wait_until nobody
}

nobody() {
  [[ $(ns "$SKL" status -j | jq '.listeners | length') == 0 ]]
}

@test "the entry point: nothing asked for, nothing preloaded; what is preloaded already comes first" {
  run -0 env -u LD_PRELOAD "$ROOT/examples/container/entrypoint" env
  [[ $output != *LD_PRELOAD* ]]
  # shellcheck disable=SC2016 # for the inner shell
  run -0 env LD_PRELOAD=/x.so SKL_PORTS=7 "$ROOT/examples/container/entrypoint" /bin/sh -c 'echo "is $LD_PRELOAD"' 2>/dev/null
  says "is /x.so:$ROOT/examples/container/libsklshim.so"
  run "$ROOT/examples/container/entrypoint" sh -c 'exit 7'
  [ "$status" -eq 7 ]
}

@test "the device of examples/cdi: a valid file, and what it says is enough" {
  local edits options=()
  run -0 /usr/bin/python3 "$ROOT/tests/programs/cdi.py" "$ROOT/examples/cdi/skl.json"
  [ "$output" = "skl/shim=on" ]
  # as an engine does it: those of the device and those of all
  edits=$(jq -c '[.containerEdits, .devices[0].containerEdits]' "$ROOT/examples/cdi/skl.json")
  CONTAINER_GROUP=$(jq '.[].additionalGids // empty | .[]' <<<"$edits")
  mapfile -t options < <(jq -r '.[].mounts // [] | .[] | "--ro-bind", .hostPath, .containerPath' <<<"$edits"
    jq -r '.[].env // [] | .[] | capture("(?<name>[^=]*)=(?<value>.*)") | "--setenv", .name, .value' <<<"$edits")
  [ "$(jq '[.[].mounts // [] | .[] | select(.options | index("ro") | not)] | length' <<<"$edits")" -eq 0 ]
  installed
  start_container_helper
  container "${SYSTEM[@]}" "${options[@]}" --ro-bind "$BUILD/examples/legacy-server" /server \
    --setenv SKL_PORTS 8001 --setenv SKL_CIDRS "$EXTRA" -- /server 8000 "$CONTAINER"
  covered "$CONTAINER" 8001 8000
  covered "$EXTRA" 8001 8000
  is_confined
}

# manifest WHAT: what the objects of examples/kubernetes say, as kubectl renders them where there is one
manifest() {
  if command -v kubectl >/dev/null; then
    kubectl kustomize "$ROOT/examples/kubernetes" >"$T/objects.yaml"
  else
    sed '$a---' "$ROOT"/examples/kubernetes/{namespace,helper,web}.yaml >"$T/objects.yaml"
  fi
  /usr/bin/python3 "$ROOT/tests/programs/manifests.py" "$1" "$T/objects.yaml"
}

@test "the objects of examples/kubernetes are such as the API takes, belong together, and kustomization.yaml has all" {
  local said
  said=$(manifest check)
  [[ $said == *"DaemonSet helper"*"Deployment web"* || $said == *"Deployment web"*"DaemonSet helper"* ]]
  /usr/bin/python3 - "$ROOT/examples/kubernetes" <<'PYTHON'
import os, sys, yaml
top = yaml.safe_load(open(sys.argv[1] + "/kustomization.yaml"))
named = top["resources"] + [name for made in top["configMapGenerator"] for name in made["files"]]
assert sorted(named + ["kustomization.yaml", "README.md"]) == sorted(os.listdir(sys.argv[1])), named
PYTHON
  # and a mistake is one
  sed -i 's/hostPID/hostPid/' "$T/objects.yaml"
  run /usr/bin/python3 "$ROOT/tests/programs/manifests.py" check "$T/objects.yaml"
  [ "$status" -eq 1 ]
  says "V1PodSpec has no such field"
  ns "$BUILD/sklhelper" --check-policy --policy "$EXAMPLES/kubernetes/policy.conf"
}

@test "the Pods of examples/kubernetes: the helper's few rights and the server's none are enough" {
  local helper server caps more='' options=() args=() i one
  helper=$(manifest helper)
  server=$(manifest pod)
  # the helper, as root of those rights only, with what it may write to
  caps=$(jq -r '[.container.securityContext.capabilities.add[] | ",+" + ascii_downcase] | add' <<<"$helper")
  mapfile -t args < <(jq -r '.container.args[]' <<<"$helper")
  ns mkdir -p /run/skl /run/etc
  ns cp "$EXAMPLES/kubernetes/policy.conf" /run/etc/
  CONTAINER_GROUP=$(jq '.container.securityContext.runAsGroup' <<<"$helper")
  for i in "${!args[@]}"; do args[i]=${args[i]/#\/etc\/skl/\/run\/etc}; done
  # as its README says
  ! kernel_before 5 11 || more=,+sys_resource
  # not one of them is too many
  for one in ${caps//,+/ }; do
    # a build with sanitizers keeps its root directory
    ! instrumented || [[ $one != sys_chroot ]] || continue
    run ns timeout 10 setpriv --regid "$CONTAINER_GROUP" --clear-groups --no-new-privs \
      --bounding-set="-all${caps/,+$one/}$more" --inh-caps=-all -- "$BUILD/sklhelper" "${args[@]}"
    echo "without $one: $output"
    [ "$status" -eq 1 ]
  done
  spawn_with_log helper.log setpriv --regid "$CONTAINER_GROUP" --clear-groups --no-new-privs \
    --bounding-set="-all$caps$more" --inh-caps=-all -- "$BUILD/sklhelper" "${args[@]}"
  HELPER=$SPAWNED
  wait_until test -S "/proc/$HOLDER/root/run/skl/helper.sock"
  [ "$(ns stat -c '%a %g' /run/skl/helper.sock)" = "660 $CONTAINER_GROUP" ]
  # what its init container does
  ns cp "$BUILD/libsklshim.so" /run/skl/
  # the server
  [ "$(jq '.pod.securityContext.supplementalGroups[0]' <<<"$server")" = "$CONTAINER_GROUP" ]
  CONTAINER_USER=$(jq '.pod.securityContext.runAsUser' <<<"$server")
  mapfile -t options < <(
    jq -r '.pod.volumes as $volumes | .container.volumeMounts[] | . as $m |
      "--ro-bind", ($volumes[] | select(.name == $m.name) | .hostPath.path), $m.mountPath' <<<"$server"
    jq -r '.container.env[] | "--setenv", .name, .value' <<<"$server"
  )
  container "${SYSTEM[@]}" "${options[@]}" --ro-bind "$BUILD/examples/legacy-server" /server -- /server 8000
  covered "$CONTAINER" 8001 8000 8150
  covered "$CONTAINER" 80 # granted by policy.conf
  is_confined
  # it restarts, and nothing is lost
  stop "$HELPER"
  answers "$CONTAINER" 80 8001
}

@test "a container may not have more than its user may: a low port is refused, in words" {
  installed
  start_container_helper
  container "${SYSTEM[@]}" --ro-bind /run/skl /run/skl --ro-bind "$SHIM" /shim.so \
    --ro-bind "$BUILD/examples/legacy-server" /server --setenv LD_PRELOAD /shim.so --setenv SKL_PORTS 80 -- /server 8000
  wait_log "libsklshim: tcp port 80: Permission denied"
  wait_until gone "$SPAWNED"
}

@test "a container without the group may not ask at all" {
  start_container_helper
  ns chgrp 0 /run/skl/helper.sock
  container "${SYSTEM[@]}" --ro-bind /run/skl /run/skl --ro-bind "$SHIM" /shim.so \
    --ro-bind "$BUILD/examples/legacy-server" /server --setenv LD_PRELOAD /shim.so --setenv SKL_PORTS 8001 -- /server 8000
  wait_log "Permission denied"
  wait_until gone "$SPAWNED"
}
