# SPDX-License-Identifier: BSD-2-Clause
# From what plot.jq has made of the tables: lookup.svg, tcp.svg, udp.svg and established.svg in the current directory.

set border linecolor rgb "0x888888"
set tics nomirror textcolor rgb "black"
unset key

# ---- lookups: what grows with the number of ports, and what does not ----

set terminal svg size 760,380 background rgb "white" font "sans-serif,13"
set output "lookup.svg"
set title "One lookup (IPv4) by number of covered ports, in ns"
stats "lookup4.data" using 3 nooutput
set logscale y
set yrange [2:400]
set ytics (2, 5, 10, 20, 50, 100, 200)
set xrange [-0.2:2.9]
set xtics ("1 port" 0, "1,000 ports" 1, "60,000 ports" 2)
set border 3
set grid ytics linecolor rgb "0xe4e4e4"
plot for [row = 0:STATS_blocks - 1] "lookup4.data" index row using 1:($1 <= 2 ? $3 : NaN):6 \
    with linespoints linewidth 2 pointtype 7 pointsize 0.6 linecolor rgb variable, \
  for [row = 0:STATS_blocks - 1] "lookup4.data" index row \
    using ($1 == 2 ? 2.06 : NaN):($3 * (row % 2 ? 1.06 : 0.96)):(strcol(2)." ".strcol(7)) with labels left

# ---- bars: medians, with whiskers from quartile to quartile ----

unstats "lookup4.data" using 3 nooutput
set logscale y
unset grid
set border 2
unset xtics
set style fill solid
set boxwidth 0.7

array names[3] = ["tcp", "udp", "established"]
array titles[3] = ["TCP connections per second", "UDP round trips per second", \
  "Requests per second on established connections"]
do for [i = 1:3] {
  data = names[i].".data"
  set xrange [*:*]
  set yrange [*:*]
  stats data using 1 nooutput
  set terminal svg size 760,(90 + 24 * STATS_max) background rgb "white" font "sans-serif,13"
  set output names[i].".svg"
  set title titles[i]
  set yrange [STATS_max + 0.8:STATS_min - 0.8]
  stats data using 5 nooutput
  set xrange [0:STATS_max * 1.18]
  plot data using (0):1:(0):3:($1 - 0.35):($1 + 0.35):6:ytic(2) with boxxyerror linecolor rgb variable, \
    data using 4:1:($5 - $4):(0) with vectors nohead linewidth 1.5 linecolor rgb "black", \
    data using ($5 + STATS_max * 0.01):1:7 with labels left
}
