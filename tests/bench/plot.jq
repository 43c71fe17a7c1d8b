# SPDX-License-Identifier: BSD-2-Clause
#
# One table of results.json ($table) as plots.gnuplot reads it, a line for each bar, with its place from top to bottom:
#
#   place  name  median  from  to  kind  median as text
#
# From quartile to quartile; or, in a table with a row that the others are compared with, times that row, in its
# 95% interval: the figures themselves drift with the machine, in all rows alike. Where the table has several columns, each has a heading; the fourth and later are left out.

def thousands: if length > 3 then (.[:-3] | thousands) + "," + .[-3:] else . end;
def text: if . >= 100 then round | tostring | thousands else (. * 10 | round) / 10 | tostring end;
def kind:
  if test("^ours.*miss|^unrelated") then "beside"
  elif test("^ours|^extra port") then "ours"
  elif test("^direct|^empty|^floor") then "least"
  else "others" end;

def shown:
  if .ratio then {value: .ratio, from: .interval[0], to: .interval[1], text: "\(.ratio | . * 100 | round / 100)   (\(.median | text))"}
  else {value: .median, from: .low, to: .high, text: .median | text} end;

.tables[] | select(.name == $table)
| (.rows | length + 1) as $height
| range(.columns[:3] | length) as $column
| (if (.columns | length) > 1 then "\($column * $height) \"{/:Bold \(.columns[$column])}\" NaN NaN NaN none \"\"" else empty end),
  (range(.rows | length) as $row
   | .rows[$row] | .name as $name
   | .cells[$column] | select(.) | shown
   | "\($column * $height + $row + 1) \"\($name)\" \(.value) \(.from) \(.to) \($name | kind) \"\(.text)\"")
