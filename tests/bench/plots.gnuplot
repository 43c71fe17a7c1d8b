# SPDX-License-Identifier: BSD-2-Clause
#
# From what plot.jq has made of the tables, an SVG for each, in the current directory: bars are medians, with whiskers
# around them; see there.

set border 2 linecolor rgb "0x888888"
set ytics nomirror scale 0 textcolor rgb "black"
unset xtics
unset key
set style fill solid
colour(kind) = kind eq "ours" ? 0x1f6f9f : kind eq "beside" ? 0x7fb3d5 : kind eq "least" ? 0x444444 : 0xb0b0b0

array names[4] = ["lookup", "tcp", "udp", "established"]
array titles[4] = ["One lookup (IPv4) by number of covered ports, ns", "TCP connections, times direct (per second)", \
  "UDP round trips, times direct (per second)", "Requests on established connections, times direct (per second)"]
do for [i = 1:4] {
  data = names[i].".data"
  set xrange [*:*]
  set yrange [*:*]
  stats data using 5 nooutput
  most = STATS_max
  stats data using 1 nooutput
  set xrange [0:most * 1.25]
  set yrange [STATS_max + 0.8:STATS_min - 0.8]
  set terminal svg size 760,(90 + 24 * STATS_max) background rgb "white" font "sans-serif,13"
  set output names[i].".svg"
  set title titles[i]
  plot data using (0):1:(0):3:($1 - 0.35):($1 + 0.35):(colour(strcol(6))):ytic(2) with boxxyerror linecolor rgb variable, \
    data using 4:1:($5 - $4):(0) with vectors nohead linewidth 1.5 linecolor rgb "black", \
    data using ($5 + most * 0.01):1:7 with labels left
}
