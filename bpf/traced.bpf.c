// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The dispatch program that writes its decisions down. It has the maps of the
 * usual one, and takes its place in the link only while somebody watches.
 *
 * Other ways to have that were looked at. A map of maps whose slot is empty
 * while nobody watches costs every hit a lookup. A program that follows the
 * usual one from outside (fexit) costs nothing, but needs the kernel's BTF and a
 * trampoline, which arm64 has only since Linux 6.4 and 32-bit machines never,
 * and sees which socket was chosen, but not by which rule. To replace the
 * program of the link works wherever sk_lookup and ring buffers do, misses no
 * packet, and is what an upgrade does anyway: a helper that is killed while
 * somebody watches leaves what its successor takes for an old version.
 */
#define SKL_TRACED
#include "bpf/dispatch.bpf.c"
