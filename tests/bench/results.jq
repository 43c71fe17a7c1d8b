# SPDX-License-Identifier: BSD-2-Clause
#
# From the samples, lines of TABLE COLUMN ROW ROUND FIGURE with tabs between (raw input), and tables.json ($about):
# median and quartiles of all, and whether the targets are reached. A ratio or a difference is taken in each round,
# and what counts is their median: what was measured shortly after one another is compared, nothing else. Its
# "interval" is what the median lies in with 95% confidence.

def quartile($which): sort | .[($which * (length - 1) / 4) | floor];
def quartiles: {median: quartile(2), low: quartile(1), high: quartile(3), rounds: length};
def rounded: (. * 1000 | round) / 1000;
# Between these two the median of all that could have been measured is, with 95% confidence.
def confidence: sort | length as $n | ($n | sqrt * 0.98) as $away
  | [.[[$n / 2 - $away | floor, 0] | max], .[[$n / 2 + $away | ceil, $n - 1] | min]];

# The figures of a cell by round.
def cell($all; $t; $row; $column): $all[$t][$row][$column];

# Of each round that both have, one over the other, or what it is more.
def ratios($others): [to_entries[] | select($others[.key] != null) | .value / $others[.key]];
def differences($others): [to_entries[] | select($others[.key] != null) | .value - $others[.key]];

[inputs | select(. != "") | split("\t")] as $lines
| (reduce $lines[] as [$t, $column, $row, $round, $figure] ({};
    .[$t][$row][$column][$round] = ($figure | tonumber))) as $all
| (reduce $lines[] as [$t, $column] ({}; if (.[$t] // [] | index([$column])) then . else .[$t] += [$column] end)) as $columns
| (reduce $lines[] as [$t, $_, $row] ({}; if (.[$t] // [] | index([$row])) then . else .[$t] += [$row] end)) as $rows
| $about[0] as $about
| {
    kernel: $kernel,
    cpus: ($cpus | tonumber),
    tables: [
      $about.tables | to_entries[] | select($all[.key]) | .key as $t | {
        name: $t,
        title: .value.title,
        unit: .value.unit,
        relative: .value.relative,
        columns: $columns[$t],
        rows: [$rows[$t][] as $row | {
          name: $row,
          cells: [$columns[$t][] as $column
            | cell($all; $t; $row; $column) as $figures
            | if $figures == null then null else
                [$figures[]] | quartiles | map_values(rounded)
                | . + (cell($all; $t; $about.tables[$t].relative // ""; $column) as $base
                   | if $base == null then {} else
                       $figures | ratios($base) | {ratio: quartile(2) | rounded, interval: confidence | map(rounded)} end) end]
        }]
      }
    ],
    targets: [
      $about.targets[] | select($all[.table]) | . as $target
      | (.to // .above) as $other
      | cell($all; .table; .row; .column) as $figures
      | (if $other == null then [$figures[]]
         else cell($all; .table; $other.row // .row; $other.column // .column) as $others
         | $figures | if $target.to then ratios($others) else differences($others) end
         end) as $values
      | ($values | quartiles) as $value
      | ($values | confidence) as [$from, $to]
      | . + ($value | map_values(rounded)) + {interval: [$from, $to] | map(rounded)}
      | (if .equal then .noisy = ($from <= .equal and .equal <= $to and $to - $from > .noise) else . end)
      | .reached = (if .equal then ($value.median - .equal | fabs) <= .give
            or ($from <= .equal and .equal <= $to and (.noisy | not))
          else (.least == null or $value.median >= .least) and (.most == null or $value.median <= .most) end)
    ]
  }
