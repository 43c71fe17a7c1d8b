#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-2-Clause
#
# skl metrics: what Prometheus' own parser makes of it.

setup() {
  bats_require_minimum_version 1.5.0
  load ../lib/skl
  skl_setup
}

teardown() {
  skl_teardown
}

# samples FILE: one line for each sample as the parser understands it: type, name, labels by name, value. With
# Debian's Python, whatever else comes first in PATH.
samples() {
  /usr/bin/python3 - "$1" <<'PYTHON'
import sys
from prometheus_client.parser import text_fd_to_metric_families
for family in text_fd_to_metric_families(open(sys.argv[1])):
    assert family.documentation, family.name
    for s in family.samples:
        labels = " ".join(f"{k}={v}" for k, v in sorted(s.labels.items()))
        print(family.type, s.name, labels, s.value)
PYTHON
}

@test "counters by binding, listeners with what describes them" {
  start_helper
  run_shim SKL_PORTS=7,8000-8099 -- "$BUILD/examples/legacy-server" 8080
  local pid=$SPAWNED
  wait_port 7
  for _ in 1 2 3 4; do answers 127.0.0.1 8050; done
  ns "$SKL" metrics >"$T/metrics"
  samples "$T/metrics" >"$T/samples"
  cat "$T/samples"
  grep -qx "gauge skl_up  1.0" "$T/samples"
  grep -q "^gauge skl_listener_info address=0.0.0.0 listener=1 netns=$NETNS pid=$pid port=8080 program=legacy-server protocol=tcp uid=0 user=root 1.0" "$T/samples"
  grep -q "^gauge skl_listener_sockets listener=1 port=8080 program=legacy-server protocol=tcp 1.0" "$T/samples"
  grep -q "^counter skl_binding_lookups_total binding=[0-9]* listener=1 port=8080 ports=8000-8099 prefix=0.0.0.0/0 program=legacy-server protocol=tcp 4.0" "$T/samples"
  [ "$(grep -c "^counter skl_binding_misses_total .* 0.0" "$T/samples")" -eq 2 ]
  [ "$(grep -c "^counter skl_binding_errors_total .* 0.0" "$T/samples")" -eq 2 ]
}

@test "a name that means something to the format" {
  start_helper
  cp "$BUILD/examples/legacy-server" "$T/"'a"b\c'
  run_shim SKL_PORTS=7 -- "/run/test/"'a"b\c' 8080
  wait_port 7
  ns "$SKL" metrics >"$T/metrics"
  samples "$T/metrics" | grep -F 'program=a"b\c protocol=tcp'
}

@test "no helper: skl_up 0 and the reason on stderr" {
  run --separate-stderr ns "$SKL" metrics
  [ "$status" -eq 0 ]
  echo "$output" >"$T/metrics"
  [ "$(samples "$T/metrics")" = "gauge skl_up  0.0" ]
  # shellcheck disable=SC2154 # made by run
  grep -q "helper.sock" <<<"$stderr"
}

@test "a file is replaced as a whole, and what cannot be written is told" {
  start_helper
  echo old >"$T/skl.prom"
  ns "$SKL" metrics -o /run/test/skl.prom
  samples "$T/skl.prom" | grep -qx "gauge skl_up  1.0"
  [ "$(stat -c %a "$T/skl.prom")" = 644 ]
  [ "$(find "$T" -name 'skl.prom*' | wc -l)" -eq 1 ]
  run ns "$SKL" metrics -o /run/test/nowhere/skl.prom
  [ "$status" -eq 1 ]
  says "skl: /run/test/nowhere/skl.prom: No such file"
  run ns "$SKL" metrics what
  [ "$status" -eq 2 ]
}

@test "the dashboard in examples/grafana names metrics and labels that there are" {
  local board=$ROOT/examples/grafana/skl.json label
  start_helper
  run_shim SKL_PORTS=7 -- "$BUILD/examples/legacy-server" 8080
  wait_port 7
  ns "$SKL" metrics >"$T/metrics"
  sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$T/metrics" | sort -u >"$T/names"
  jq -r '.. | .expr?, .query?.query? // empty' "$board" | grep -o 'skl_[a-z_]*' | sort -u >"$T/used"
  # all of them, in fact
  diff "$T/names" "$T/used"
  # labels: those of the metrics, and the host's, which is Prometheus' own
  for label in $(jq -r '.. | .legendFormat? // empty' "$board" | grep -o '{{[a-z]*}}' | tr -d '{}' | sort -u) \
    $(jq -r '.. | .expr? // empty' "$board" | grep -o 'by ([a-z, ]*)' | tr -d ',()' | sed 's/^by//' | sort -u); do
    grep -q "[{,]$label=" "$T/metrics" || {
      echo "no metric has the label $label"
      return 1
    }
  done
  # every panel has a place and a query of its own
  [ "$(jq '[.panels[].id] | length == (unique | length)' "$board")" = true ]
  [ "$(jq '[.panels[] | select(.targets | length == 0)] | length' "$board")" -eq 0 ]
  [ "$(jq -r '[.panels[].gridPos | .x + .w] | max' "$board")" -eq 24 ]
}
