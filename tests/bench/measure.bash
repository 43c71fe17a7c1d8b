# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
#
# measure.bash SAMPLES PART...: measures these parts, and adds their figures to the file SAMPLES; for tests/bench/run,
# which starts it in namespaces of its own.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=tests/lib/show.bash
source "$(dirname "${BASH_SOURCE[0]}")/../lib/show.bash"
if [[ ${BENCH_NETNS:-none} != "$(guard_netns)" ]]; then
  echo "measure.bash: tests/bench/run starts this" >&2
  exit 2
fi

SAMPLES=$1
export SAMPLES
shift
# shellcheck source=tests/bench/world.bash
source "$SHOW_ROOT/tests/bench/world.bash"
world_start
for part; do
  if [[ ! -e $SHOW_ROOT/tests/bench/$part.bash ]]; then
    echo "there is no part $part" >&2
    exit 2
  fi
  echo "measures: $part" >&2
  # shellcheck source=/dev/null
  source "$SHOW_ROOT/tests/bench/$part.bash"
  world_clear
done
