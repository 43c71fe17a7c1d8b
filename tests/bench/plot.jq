# SPDX-License-Identifier: BSD-2-Clause
#
# One table of results.json ($table) as plots.gnuplot reads it, a line for each bar, with its place from top to bottom:
#
#   place  name  median  lower quartile  upper quartile  kind  median as text
#
# Where the table has several columns, each has a heading; the fourth and later are left out.

def thousands: if length > 3 then (.[:-3] | thousands) + "," + .[-3:] else . end;
def text: if . >= 100 then round | tostring | thousands else (. * 10 | round) / 10 | tostring end;
def kind:
  if test("^ours.*miss|^unrelated") then "beside"
  elif test("^ours|^extra port") then "ours"
  elif test("^direct|^empty|^floor") then "least"
  else "others" end;

.tables[] | select(.name == $table)
| (.rows | length + 1) as $height
| range(.columns[:3] | length) as $column
| (if (.columns | length) > 1 then "\($column * $height) \"{/:Bold \(.columns[$column])}\" NaN NaN NaN none \"\"" else empty end),
  (range(.rows | length) as $row
   | .rows[$row] | .name as $name
   | .cells[$column] | select(.)
   | "\($column * $height + $row + 1) \"\($name)\" \(.median) \(.low) \(.high) \($name | kind) \"\(.median | text)\"")
