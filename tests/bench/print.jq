# SPDX-License-Identifier: BSD-2-Clause
# results.json as tables to read.

def spaces($n): if $n > 0 then " " * $n else "" end;
def left($n): . + spaces($n - length);
def right($n): spaces($n - length) + .;
def widest: map(length) | max // 0;

def thousands: if length > 3 then (.[:-3] | thousands) + "," + .[-3:] else . end;
# Three digits at least, and no more than say something.
def number:
  if . < 0 then "-" + (-. | number)
  elif . >= 100 then round | tostring | thousands
  elif . == round then tostring
  else (if . >= 10 then 10 elif . >= 1 then 100 else 1000 end) as $scale | . * $scale | round / $scale | tostring
  end;

def interval: "[\(.interval | map(number) | join("-"))]";

def cell: if . == null then "" elif .rounds == 1 then .median | number
  elif .ratio then "\(.median | number)  x\(.ratio | number) \(interval)"
  else "\(.median | number) (\(.low | number)-\(.high | number))" end;

def table:
  (.rows | map(.name) | widest) as $first
  | (.columns | to_entries | map(.key)) as $indexes
  | [$indexes[] as $i | [.columns[$i]] + [.rows[].cells[$i] | cell] | widest] as $widths
  | "", "\(.title), \(.unit): median\(
      if .relative then ", and times \(.relative) by the rounds' ratios [95% interval]"
      elif any(.rows[].cells[]; .rounds? > 1) then " (quartiles)" else "" end)",
    "  " + spaces($first) + ([$indexes[] as $i | .columns[$i] | right($widths[$i] + 3)] | join("")),
    (.rows[] | "  " + (.name | left($first)) + ([$indexes[] as $i | .cells[$i] | cell | right($widths[$i] + 3)] | join("")));

def what:
  (.to // .above) as $other
  | "\(.table), \(.column): \(.row)"
  + if $other == null then "" else
      (if .to then " over " else " more than " end) + ($other.row // $other.column) end;

def limit: [if .equal then "\(.equal) within \(.give), or within a noise of \(.noise)" else empty end,
  if .least != null then "at least \(.least)" else empty end,
  if .most != null then "at most \(.most)" else empty end] | join(", ");

(.tables[] | table),
"", "Targets, by the median of the rounds' ratios or differences [95% interval]:",
((.targets | map(what) | widest) as $width
 | .targets[] as $target
 | $target | (.median | number) + (if .rounds > 1 then " \(interval)" else "" end) | . as $figure
 | "  \(if $target.reached then "reached" elif $target.noisy then "NOISY  " else "MISSED " end)  \($target | what | left($width))  \($figure | left(22))  \($target | limit)"),
"", "Linux \(.kernel), \(.cpus) CPUs."
