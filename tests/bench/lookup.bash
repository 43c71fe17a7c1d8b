# shellcheck shell=bash
# SPDX-License-Identifier: BSD-2-Clause
# One lookup (BPF_PROG_TEST_RUN).

client "$BUILD/tests/bench-lookup" >>"$SAMPLES"
